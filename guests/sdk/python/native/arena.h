/* Memory that a batch's changes live in, freed all at once with the batch. */
#ifndef OTELWASM_ARENA_H
#define OTELWASM_ARENA_H

#include <Python.h>

typedef struct ArenaChunk ArenaChunk;

typedef struct {
  ArenaChunk *chunk;
  uint8_t *free;
  uint8_t *end;
} Arena;

void *arena_more(Arena *arena, size_t size);
void arena_free(Arena *arena);

/* Memory for any object; NULL with MemoryError. */
static inline void *arena_take(Arena *arena, size_t size) {
  size = (size + 7) & ~(size_t)7;
  if ((size_t)(arena->end - arena->free) < size) return arena_more(arena, size);
  void *memory = arena->free;
  arena->free += size;
  return memory;
}

static inline const uint8_t *arena_copy(Arena *arena, const void *bytes, size_t size) {
  uint8_t *copy = arena_take(arena, size ? size : 1);
  if (copy && size) memcpy(copy, bytes, size);
  return copy;
}

#endif
