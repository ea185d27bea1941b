/* The memory of small objects that come and go by the thousand, kept for the next ones.
 *
 * A guest's malloc takes as long as looking an attribute up, and going through a batch makes two
 * objects for each span.
 */
#ifndef OTELWASM_POOL_H
#define OTELWASM_POOL_H

#include <Python.h>

#ifdef __SANITIZE_ADDRESS__
enum { POOL_CAPACITY = 0 }; /* so that the sanitizer sees the use of freed ones */
#else
enum { POOL_CAPACITY = 32 };
#endif

typedef struct {
  void *memory[POOL_CAPACITY + 1];
  int count;
} Pool;

/* A new object of a type without garbage collection; only its head is set. */
static inline PyObject *pool_new(Pool *pool, PyTypeObject *type, size_t size) {
  void *memory = pool->count ? pool->memory[--pool->count] : PyObject_Malloc(size);
  return memory ? PyObject_Init(memory, type) : PyErr_NoMemory();
}

static inline void pool_free(Pool *pool, PyObject *object) {
  if (pool->count < POOL_CAPACITY) {
    pool->memory[pool->count++] = object;
  } else {
    PyObject_Free(object);
  }
}

#endif
