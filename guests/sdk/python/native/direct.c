/* The guest's side of wit/direct.wit: payloads cross as offsets into this memory.
 *
 *     host                          guest
 *     reserve(len)            ──►   the inbox; for a long one, a bytes object to be filled
 *     writes the payload      ──►   (its buffer)
 *     run(signal, len)        ──►   answer(signal, payload), in Python, as answer_with() says
 *                             ◄──   24 bytes that say what became of it
 *     copies the result out
 *
 * The host asks for the inbox once, so a small payload takes one crossing; it is copied from there.
 * A long one is not copied: the host writes it into the object that the plugin is given. If the
 * plugin keeps that, the next one needs another, and takes two crossings. Most plugins do not: then
 * the object stands ready again, which the outcome tells the host. The result is kept alive here
 * until the next call, so the host always reads live memory, and nothing is converted or leaked.
 *
 * Calls of the host go the same way, the other way round:
 *
 *     call(…, offset_of(data), outcome_at())  ──►   copies the data, writes an outcome
 *     outcome(): its kind and number
 *     answer(room(its length))                ──►   writes its data
 *     filled(): the data, uncopied
 */
#include "direct.h"

#include <stdbool.h>

/* wit/direct.wit's outcome. */
typedef struct {
  uint32_t kind;
  uint32_t offset;
  uint32_t length;
  uint32_t has_number;
  uint64_t number;
} Outcome;

_Static_assert(sizeof(Outcome) == 24, "an outcome is 24 bytes");

enum { LAST_KIND = 7, LAST_VERDICT = 2, INBOX_CAPACITY = 65536, STANDING_CAPACITY = 1 << 20 };

/* One guest, one call at a time: what crosses lives here. */
static PyObject *answer;
static char inbox[INBOX_CAPACITY];
static PyObject *reserved; /* a bytes object that is nowhere else, for so many bytes at most: */
static Py_ssize_t capacity;
static PyObject *result;
static Outcome outcome;
static Outcome host_outcome;
static PyObject *room;

static PyObject *direct_answer_with(PyObject *module, PyObject *function) {
  (void)module;
  Py_INCREF(function);
  Py_XDECREF(answer);
  answer = function;
  Py_RETURN_NONE;
}

static PyObject *direct_reserve(PyObject *module, PyObject *argument) {
  (void)module;
  Py_ssize_t length = PyNumber_AsSsize_t(argument, PyExc_OverflowError);
  if (length < 0) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "a payload's length is not negative");
    return NULL;
  }
  if (length <= INBOX_CAPACITY) return PyLong_FromSize_t((size_t)inbox);
  Py_CLEAR(result);
  if (!reserved || length > capacity) {
    Py_CLEAR(reserved);
    /* With some room to spare, as those that follow are seldom of the same length. */
    bool may_stand = length <= STANDING_CAPACITY - INBOX_CAPACITY;
    capacity = may_stand ? length + INBOX_CAPACITY : length;
    reserved = PyBytes_FromStringAndSize(NULL, capacity);
  }
  return reserved ? PyLong_FromSize_t((size_t)PyBytes_AsString(reserved)) : NULL;
}

/* Make a bytes object that nobody has seen *length* bytes long; it has room for them. This is what
 * _PyBytes_Resize does, less giving up the rest of the memory. */
static void set_length(PyObject *bytes, Py_ssize_t length) {
  char *content = PyBytes_AsString(bytes);
  ((PyVarObject *)bytes)->ob_size = length;
  content[length] = 0;
  ((Py_hash_t *)content)[-1] = -1; /* its hash, not yet known */
}

/* The payload that the host wrote where direct_reserve() said. */
static PyObject *taken(Py_ssize_t length) {
  if (length >= 0 && length <= INBOX_CAPACITY) return PyBytes_FromStringAndSize(inbox, length);
  PyObject *payload = reserved;
  reserved = NULL;
  if (payload && length >= 0 && length <= capacity) {
    set_length(payload, length);
    return payload;
  }
  Py_XDECREF(payload);
  return PyErr_Format(PyExc_RuntimeError, "run() of %zd bytes that reserve() was not asked for",
                      length);
}

/* Done with *payload*: if nobody else has it, it can take the next one. */
static void release(PyObject *payload, Py_ssize_t length) {
  if (length > INBOX_CAPACITY && capacity <= STANDING_CAPACITY && payload->ob_refcnt == 1) {
    reserved = payload;
  } else {
    Py_DECREF(payload);
  }
}

/* Tell the host what it need not reserve. */
static void offer(void) {
  if (!reserved || outcome.kind > LAST_VERDICT || outcome.has_number) return;
  outcome.has_number = true;
  outcome.number = (uint64_t)capacity << 32 | (uint32_t)(size_t)PyBytes_AsString(reserved);
}

/* Keep what a host needs of *answered*, (kind, data, number or None); false with an exception. */
static bool has_kept(PyObject *answered) {
  int kind;
  PyObject *data, *number = Py_None;
  if (!PyArg_ParseTuple(answered, "iS|O:outcome", &kind, &data, &number)) return false;
  if (kind < 0 || kind > LAST_KIND) {
    PyErr_Format(PyExc_ValueError, "an outcome's kind is 0 to %d, not %d", LAST_KIND, kind);
    return false;
  }
  unsigned long long value = 0;
  if (number != Py_None) {
    value = PyLong_AsUnsignedLongLong(number);
    if (PyErr_Occurred()) return false;
  }
  Py_INCREF(data);
  Py_XDECREF(result);
  result = data;
  outcome = (Outcome){
      .kind = (uint32_t)kind,
      .offset = (uint32_t)(size_t)PyBytes_AsString(data),
      .length = (uint32_t)PyBytes_Size(data),
      .has_number = number != Py_None,
      .number = value,
  };
  return true;
}

static PyObject *direct_run(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  (void)module;
  if (count != 2) return PyErr_Format(PyExc_TypeError, "run() takes 2 arguments, not %zd", count);
  PyObject *signal = arguments[0];
  Py_ssize_t length = PyNumber_AsSsize_t(arguments[1], PyExc_OverflowError);
  if (length == -1 && PyErr_Occurred()) return NULL;
  if (!answer) {
    PyErr_SetString(PyExc_RuntimeError, "run() before answer_with()");
    return NULL;
  }
  Py_CLEAR(result);
  PyObject *payload = taken(length);
  if (!payload) return NULL;
  PyObject *answered = PyObject_CallFunctionObjArgs(answer, signal, payload, NULL);
  bool is_kept = answered && has_kept(answered);
  Py_XDECREF(answered);
  if (!is_kept) {
    Py_DECREF(payload); /* the traceback may have it */
    return NULL;
  }
  release(payload, length);
  offer();
  return PyLong_FromSize_t((size_t)&outcome);
}

static PyObject *direct_offset_of(PyObject *module, PyObject *data) {
  (void)module;
  char *bytes = PyBytes_AsString(data);
  return bytes ? PyLong_FromSize_t((size_t)bytes) : NULL;
}

static PyObject *direct_outcome_at(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  return PyLong_FromSize_t((size_t)&host_outcome);
}

static PyObject *direct_outcome(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  PyObject *kind = PyLong_FromUnsignedLong(host_outcome.kind);
  PyObject *number = host_outcome.has_number ? PyLong_FromUnsignedLongLong(host_outcome.number)
                                             : Py_NewRef(Py_None);
  PyObject *pair = kind && number ? PyTuple_Pack(2, kind, number) : NULL;
  Py_XDECREF(kind);
  Py_XDECREF(number);
  return pair;
}

static PyObject *direct_room(PyObject *module, PyObject *argument) {
  (void)module;
  Py_ssize_t length = PyNumber_AsSsize_t(argument, PyExc_OverflowError);
  if (length < 0) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "an answer's length is not negative");
    return NULL;
  }
  Py_CLEAR(room);
  room = PyBytes_FromStringAndSize(NULL, length);
  return room ? PyLong_FromSize_t((size_t)PyBytes_AsString(room)) : NULL;
}

static PyObject *direct_filled(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  PyObject *data = room;
  room = NULL;
  if (!data) PyErr_SetString(PyExc_RuntimeError, "filled() without room(), which comes first");
  return data;
}

PyMethodDef DIRECT_METHODS[] = {
    {"answer_with", direct_answer_with, METH_O,
     "answer_with(function, /)\n--\n\nHave function(signal, payload) answer each run() by\n"
     "(kind, data) or (kind, data, number or None)."},
    {"reserve", direct_reserve, METH_O,
     "reserve(length, /)\n--\n\nMake room for a payload; the offset that the host writes it to."},
    {"run", (PyCFunction)(void (*)(void))direct_run, METH_FASTCALL,
     "run(signal, length, /)\n--\n\nHave the payload that was written there answered; the offset\n"
     "of the outcome for the host. Its data stays alive until the next call."},
    {"offset_of", direct_offset_of, METH_O,
     "offset_of(data, /)\n--\n\nWhere a bytes object's content is; valid while the caller holds it."},
    {"outcome_at", direct_outcome_at, METH_NOARGS,
     "outcome_at()\n--\n\nWhere the host writes the outcome of a call; always the same."},
    {"outcome", direct_outcome, METH_NOARGS,
     "outcome()\n--\n\n(kind, number or None) of the last call's outcome."},
    {"room", direct_room, METH_O,
     "room(length, /)\n--\n\nMake room for what a call answered; the offset to write it to."},
    {"filled", direct_filled, METH_NOARGS,
     "filled()\n--\n\nWhat the host wrote where room() said, uncopied."},
    {NULL, NULL, 0, NULL},
};
