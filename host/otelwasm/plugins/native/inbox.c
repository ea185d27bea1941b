/* What waits for one worker. Calls in the direct form are made here, one after the other, without
 * the interpreter's lock: a change of threads then costs a wake-up, and nobody waits for the lock.
 *
 *     loop: offer(…)  ──►  queue ──► get(), on the worker's thread ──► guest_run ──► port
 *     any:  put(…)    ──►                └ returns what was put, and calls that Python has to end
 */
#include "inbox.h"

#include <pthread.h>

#include "guest.h"
#include "lock.h"
#include "port.h"

/* Longer results are copied once, into their bytes object, for which Python's lock is taken. */
enum { COPIED_TWICE = 1 << 16 };

typedef struct Node {
  struct Node *next;
  PyObject *item;
  bool is_job;
} Node;

typedef struct {
  PyObject_HEAD
  pthread_mutex_t mutex;
  pthread_cond_t is_filled;
  Node *first;
  Node *last;
  Py_ssize_t count; /* of what has not been made here, and not been returned */
  Guest *guest;
  long long calls;
  double busy_s;
} Inbox;

static int add(Inbox *inbox, PyObject *item, bool is_job) {
  Node *node = malloc(sizeof *node);
  if (!node) {
    PyErr_NoMemory();
    return -1;
  }
  *node = (Node){.item = Py_NewRef(item), .is_job = is_job};
  pthread_mutex_lock(&inbox->mutex);
  if (inbox->last) {
    inbox->last->next = node;
  } else {
    inbox->first = node;
  }
  inbox->last = node;
  inbox->count++;
  pthread_mutex_unlock(&inbox->mutex);
  /* Without the mutex, or who wakes up would only wait for that. */
  pthread_cond_signal(&inbox->is_filled);
  return 0;
}

static Node *next_node(Inbox *inbox) {
  pthread_mutex_lock(&inbox->mutex);
  while (!inbox->first) pthread_cond_wait(&inbox->is_filled, &inbox->mutex);
  Node *node = inbox->first;
  inbox->first = node->next;
  if (!inbox->first) inbox->last = NULL;
  pthread_mutex_unlock(&inbox->mutex);
  return node;
}

static void finish(Inbox *inbox, Node *node) {
  free(node);
  pthread_mutex_lock(&inbox->mutex);
  inbox->count--;
  pthread_mutex_unlock(&inbox->mutex);
}

/* Take a result out of the plugin's memory; false if there is no room for it. *thread* is what
 * stands for Python's lock, which this thread does not hold. */
static bool has_taken(const Guest *guest, Job *job, void **thread) {
  const void *data = guest_data(guest, &job->size);
  if (job->size <= COPIED_TWICE) {
    job->form = AS_DATA;
    job->data = malloc(job->size ? job->size : 1);
    /* Safety: in range (guest.c), and only this thread can grow the memory. */
    if (job->data) memcpy(job->data, data, job->size);
    return job->data;
  }
  PyEval_RestoreThread(*thread);
  /* Safety: as above. */
  job->value = PyBytes_FromStringAndSize(data, (Py_ssize_t)job->size);
  if (!job->value) PyErr_Clear();
  *thread = PyEval_SaveThread();
  return job->value;
}

/* Make a call; false if Python has to make it, or to end it. */
static bool is_made(Inbox *inbox, Job *job, void **thread) {
  Guest *guest = inbox->guest;
  if (!guest) return false;
  double began_s = seconds_now();
  Ending ending = guest_run(guest, job->what, job->bytes, job->length);
  if (ending == UNTRIED) return false;
  bool is_ended = ending != ANSWERED && ending != FAULTED;
  if (!is_ended || (ending == REPLACED && !has_taken(guest, job, thread))) {
    guest_leave(guest, ending);
    return false;
  }
  if (ending == PASSED) job->form = AS_PAYLOAD;
  if (ending == DROPPED) job->form = AS_NONE;
  inbox->calls++;
  inbox->busy_s += seconds_now() - began_s;
  return true;
}

/* ---- for Python ------------------------------------------------------------------------- */

static PyObject *inbox_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
  (void)keywords;
  if (!PyArg_ParseTuple(arguments, ":Inbox")) return NULL;
  Inbox *inbox = (Inbox *)PyType_GenericAlloc(type, 0);
  if (!inbox) return NULL;
  pthread_mutex_init(&inbox->mutex, NULL);
  pthread_cond_init(&inbox->is_filled, NULL);
  return (PyObject *)inbox;
}

static void inbox_dealloc(PyObject *self) {
  Inbox *inbox = (Inbox *)self;
  PyTypeObject *type = Py_TYPE(self);
  for (Node *node = inbox->first, *next; node; node = next) {
    next = node->next;
    Py_DECREF(node->item);
    free(node);
  }
  Py_XDECREF((PyObject *)inbox->guest);
  pthread_cond_destroy(&inbox->is_filled);
  pthread_mutex_destroy(&inbox->mutex);
  ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
  Py_DECREF(type);
}

static PyObject *inbox_put(PyObject *self, PyObject *item) {
  return add((Inbox *)self, item, false) ? NULL : Py_NewRef(Py_None);
}

static PyObject *inbox_offer(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
  if (count != 5) return PyErr_Format(PyExc_TypeError, "offer() takes 5 arguments, not %zd", count);
  long what = PyLong_AsLong(arguments[0]);
  if (what == -1 && PyErr_Occurred()) return NULL;
  Job *job = job_new(arguments[2], (uint32_t)what, arguments[1], arguments[3], arguments[4]);
  int failed = job ? add((Inbox *)self, (PyObject *)job, true) : -1;
  Py_XDECREF((PyObject *)job);
  return failed ? NULL : Py_NewRef(Py_None);
}

static PyObject *inbox_get(PyObject *self, PyObject *unused) {
  (void)unused;
  Inbox *inbox = (Inbox *)self;
  void *thread = PyEval_SaveThread();
  Node *node;
  while ((node = next_node(inbox))->is_job && is_made(inbox, (Job *)node->item, &thread)) {
    Job *job = (Job *)node->item;
    finish(inbox, node);
    port_push(job);
  }
  PyEval_RestoreThread(thread);
  PyObject *item = node->item;
  bool is_job = node->is_job;
  finish(inbox, node);
  if (!is_job) return item;
  PyObject *pair = PyTuple_Pack(2, item, ((Job *)item)->call);
  Py_DECREF(item);
  return pair;
}

static PyObject *inbox_qsize(PyObject *self, PyObject *unused) {
  (void)unused;
  Inbox *inbox = (Inbox *)self;
  pthread_mutex_lock(&inbox->mutex);
  Py_ssize_t count = inbox->count;
  pthread_mutex_unlock(&inbox->mutex);
  return PyLong_FromSsize_t(count);
}

static PyObject *inbox_use(PyObject *self, PyObject *guest) {
  if (guest != Py_None && !PyObject_TypeCheck(guest, guest_type)) {
    return PyErr_Format(PyExc_TypeError, "use() takes a Guest or None");
  }
  Inbox *inbox = (Inbox *)self;
  PyObject *before = (PyObject *)inbox->guest;
  inbox->guest = guest == Py_None ? NULL : (Guest *)Py_NewRef(guest);
  Py_XDECREF(before);
  Py_RETURN_NONE;
}

static PyObject *inbox_calls(PyObject *self, void *closure) {
  (void)closure;
  return PyLong_FromLongLong(((Inbox *)self)->calls);
}

static PyObject *inbox_busy_s(PyObject *self, void *closure) {
  (void)closure;
  return PyFloat_FromDouble(((Inbox *)self)->busy_s);
}

static PyMethodDef METHODS[] = {
    {"put", inbox_put, METH_O, "put(item, /)\n--\n\nAdd what `get` shall return."},
    {"offer", (PyCFunction)(void (*)(void))inbox_offer, METH_FASTCALL,
     "offer(what, payload, port, answer, call, /)\n--\n\nAdd a call in the direct form; *port* "
     "tells *answer*.\nWhere Python has to make it, `get` returns (a future, *call*)."},
    {"get", inbox_get, METH_NOARGS,
     "get()\n--\n\nMake the calls that come, and return what else does; on one thread only."},
    {"qsize", inbox_qsize, METH_NOARGS, "qsize()\n--\n\nHow much has not been made here, and not been returned."},
    {"use", inbox_use, METH_O,
     "use(guest, /)\n--\n\nThe plugin to call, or None; on the thread that calls `get`."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef GETTERS[] = {
    {"calls", inbox_calls, NULL, "The calls that were made here.", NULL},
    {"busy_s", inbox_busy_s, NULL, "The seconds that they took.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot SLOTS[] = {
    {Py_tp_new, inbox_new},
    {Py_tp_dealloc, inbox_dealloc},
    {Py_tp_methods, METHODS},
    {Py_tp_getset, GETTERS},
    {Py_tp_doc, "What waits for one worker; to that it is a queue.SimpleQueue."},
    {0, NULL},
};

static PyType_Spec SPEC = {
    .name = "otelwasm_calls.Inbox",
    .basicsize = sizeof(Inbox),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = SLOTS,
};

int inbox_add_type(PyObject *module) {
  PyObject *type = PyType_FromSpec(&SPEC);
  return type ? PyModule_AddObject(module, "Inbox", type) : -1;
}
