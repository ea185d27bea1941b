/* What became of calls goes back to an event loop: one wake-up for all that came meanwhile.
 *
 *     worker's thread: port_push(job) ──► list ──► loop: drain(), as the reader of a descriptor
 *                          └ writes to the descriptor, if nothing was in the list
 *
 * The worker takes no lock of Python's for it, so that neither waits for the other.
 */
#include "port.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

struct Port {
  PyObject_HEAD
  pthread_mutex_t mutex;
  Job *first;
  Job *last;
  int read_from;
  int write_to; /* -1 once it is closed */
  atomic_int pushing; /* threads that may still write to it */
};

static PyTypeObject *job_type;
static PyTypeObject *port_type;

/* ---- jobs ------------------------------------------------------------------------------- */

Job *job_new(PyObject *port, uint32_t what, PyObject *payload, PyObject *answer, PyObject *call) {
  if (!PyObject_TypeCheck(port, port_type)) {
    PyErr_SetString(PyExc_TypeError, "a job needs a Port");
    return NULL;
  }
  char *bytes;
  Py_ssize_t length;
  if (PyBytes_AsStringAndSize(payload, &bytes, &length)) return NULL;
  Job *job = (Job *)PyType_GenericAlloc(job_type, 0);
  if (!job) return NULL;
  job->bytes = bytes;
  job->length = (size_t)length;
  job->port = (Port *)Py_NewRef(port);
  job->what = what;
  job->payload = Py_NewRef(payload);
  job->answer = Py_NewRef(answer);
  job->call = Py_NewRef(call);
  return job;
}

static void job_dealloc(PyObject *self) {
  Job *job = (Job *)self;
  PyTypeObject *type = Py_TYPE(self);
  free(job->data);
  Py_XDECREF(job->value);
  Py_XDECREF(job->call);
  Py_XDECREF(job->answer);
  Py_XDECREF(job->payload);
  Py_XDECREF((PyObject *)job->port);
  ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
  Py_DECREF(type);
}

static PyObject *job_begins(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  Py_RETURN_TRUE;
}

static PyObject *job_ended(PyObject *self, PyObject *value, int form) {
  Job *job = (Job *)Py_NewRef(self);
  job->value = Py_NewRef(value);
  job->form = form;
  port_push(job);
  Py_RETURN_NONE;
}

static PyObject *job_set_result(PyObject *self, PyObject *value) {
  return job_ended(self, value, AS_VALUE);
}

static PyObject *job_set_exception(PyObject *self, PyObject *error) {
  return job_ended(self, error, AS_ERROR);
}

static PyMethodDef JOB_METHODS[] = {
    {"set_running_or_notify_cancel", job_begins, METH_NOARGS,
     "set_running_or_notify_cancel()\n--\n\nTrue: nobody calls it off."},
    {"set_result", job_set_result, METH_O, "set_result(value, /)\n--\n\nHand it to the loop."},
    {"set_exception", job_set_exception, METH_O,
     "set_exception(error, /)\n--\n\nHand it to the loop."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot JOB_SLOTS[] = {
    {Py_tp_dealloc, job_dealloc},
    {Py_tp_methods, JOB_METHODS},
    {Py_tp_doc, "A call that an event loop waits for; to a worker it is a future."},
    {0, NULL},
};

static PyType_Spec JOB_SPEC = {
    .name = "otelwasm_calls.Job",
    .basicsize = sizeof(Job),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = JOB_SLOTS,
};

/* ---- ports ------------------------------------------------------------------------------ */

void port_push(Job *job) {
  Port *port = job->port;
  job->next = NULL;
  atomic_fetch_add(&port->pushing, 1);
  pthread_mutex_lock(&port->mutex);
  bool was_empty = !port->first;
  if (was_empty) {
    port->first = job;
  } else {
    port->last->next = job;
  }
  port->last = job;
  int write_to = was_empty ? port->write_to : -1;
  pthread_mutex_unlock(&port->mutex);
  /* Without the mutex, or who wakes up would only wait for that. It never blocks: there is at most
   * one write for each read. */
  if (write_to >= 0) {
    const uint64_t one = 1;
    while (write(write_to, &one, sizeof one) < 0 && errno == EINTR) {
    }
  }
  atomic_fetch_sub(&port->pushing, 1);
}

/* Wait until no thread is in port_push, which takes no longer than a write. */
static void settle(Port *port) {
  while (atomic_load(&port->pushing)) sched_yield();
}

static PyObject *port_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
  (void)keywords;
  int read_from, write_to;
  if (!PyArg_ParseTuple(arguments, "ii:Port", &read_from, &write_to)) return NULL;
  Port *port = (Port *)PyType_GenericAlloc(type, 0);
  if (!port) return NULL;
  pthread_mutex_init(&port->mutex, NULL);
  port->read_from = read_from;
  port->write_to = write_to;
  return (PyObject *)port;
}

static Job *taken(Port *port) {
  pthread_mutex_lock(&port->mutex);
  Job *first = port->first;
  port->first = port->last = NULL;
  pthread_mutex_unlock(&port->mutex);
  return first;
}

static void port_dealloc(PyObject *self) {
  Port *port = (Port *)self;
  PyTypeObject *type = Py_TYPE(self);
  settle(port);
  /* Jobs in the list hold the port: there are none. */
  pthread_mutex_destroy(&port->mutex);
  ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
  Py_DECREF(type);
}

/* What became of *job*, as its future is told; a new reference. */
static PyObject *value_of(const Job *job) {
  if (job->form == AS_PAYLOAD) return Py_NewRef(job->payload);
  if (job->form == AS_NONE) return Py_NewRef(Py_None);
  if (job->form == AS_DATA) return PyBytes_FromStringAndSize(job->data, (Py_ssize_t)job->size);
  return Py_NewRef(job->value);
}

/* Tell the future of *job*, if it still waits; false with an exception. */
static bool has_told(const Job *job) {
  PyObject *found = PyObject_CallMethod(job->answer, "done", NULL);
  int is_done = found ? PyObject_IsTrue(found) : -1;
  Py_XDECREF(found);
  if (is_done) return is_done > 0;
  PyObject *value = value_of(job);
  const char *method = job->form == AS_ERROR ? "set_exception" : "set_result";
  PyObject *told = value ? PyObject_CallMethod(job->answer, method, "O", value) : NULL;
  Py_XDECREF(value);
  Py_XDECREF(told);
  return told;
}

static PyObject *port_drain(PyObject *self, PyObject *unused) {
  (void)unused;
  Port *port = (Port *)self;
  uint64_t count;
  while (read(port->read_from, &count, sizeof count) < 0 && errno == EINTR) {
  }
  for (Job *job = taken(port), *next; job; job = next) {
    next = job->next;
    if (!has_told(job)) PyErr_Print(); /* and go on: others wait, too */
    Py_DECREF((PyObject *)job);
  }
  Py_RETURN_NONE;
}

static PyObject *port_close(PyObject *self, PyObject *unused) {
  (void)unused;
  Port *port = (Port *)self;
  pthread_mutex_lock(&port->mutex);
  port->write_to = -1;
  pthread_mutex_unlock(&port->mutex);
  settle(port);
  for (Job *job = taken(port), *next; job; job = next) {
    next = job->next;
    Py_DECREF((PyObject *)job);
  }
  Py_RETURN_NONE;
}

static PyMethodDef PORT_METHODS[] = {
    {"drain", port_drain, METH_NOARGS,
     "drain()\n--\n\nTell the futures of all that came; in the loop, once the descriptor is "
     "readable."},
    {"close", port_close, METH_NOARGS,
     "close()\n--\n\nWrite to the descriptor no more; what comes is let go."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot PORT_SLOTS[] = {
    {Py_tp_new, port_new},
    {Py_tp_dealloc, port_dealloc},
    {Py_tp_methods, PORT_METHODS},
    {Py_tp_doc, "Port(read_from, write_to)\n--\n\nThe way of answers to an event loop."},
    {0, NULL},
};

static PyType_Spec PORT_SPEC = {
    .name = "otelwasm_calls.Port",
    .basicsize = sizeof(Port),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = PORT_SLOTS,
};

int port_add_types(PyObject *module) {
  job_type = (PyTypeObject *)PyType_FromSpec(&JOB_SPEC);
  port_type = job_type ? (PyTypeObject *)PyType_FromSpec(&PORT_SPEC) : NULL;
  return port_type ? PyModule_AddObject(module, "Port", Py_NewRef(port_type)) : -1;
}
