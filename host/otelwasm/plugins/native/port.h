/* A call that an event loop waits for, and the way of what becomes of it back to that loop. */
#ifndef OTELWASM_PORT_H
#define OTELWASM_PORT_H

#include <Python.h>
#include <stdbool.h>

typedef struct Port Port;

/* One call. It can stand for a future in worker.py: then it hands to its port what it is given. */
typedef struct Job {
  PyObject_HEAD
  struct Job *next;
  Port *port;
  PyObject *answer; /* the loop's future */
  PyObject *call;   /* how Python makes it: call(instance) */
  PyObject *payload;
  uint32_t what;
  const void *bytes; /* the payload's */
  size_t length;
  enum { AS_VALUE, AS_PAYLOAD, AS_NONE, AS_DATA, AS_ERROR } form; /* of what it came to */
  PyObject *value;
  void *data; /* copied without Python's lock, and so no bytes object yet */
  size_t size;
} Job;

/* A job for *port*; NULL with an exception. */
Job *job_new(PyObject *port, uint32_t what, PyObject *payload, PyObject *answer, PyObject *call);

/* Hand a job, and the caller's reference to it, to its loop; Python's lock is not needed. */
void port_push(Job *job);

int port_add_types(PyObject *module);

#endif
