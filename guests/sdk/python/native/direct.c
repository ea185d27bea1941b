/* The guest's side of wit/direct.wit: payloads cross as offsets into this memory.
 *
 *     host                          guest
 *     reserve(len)            ──►   the inbox; for a long one, a bytes object not yet filled
 *     writes the payload      ──►   (its buffer)
 *     run(signal, len)        ──►   answer(signal, payload), in Python, as answer_with() says
 *                             ◄──   24 bytes that say what became of it
 *     copies the result out
 *
 * The host asks for the inbox once, so a small payload takes one crossing; it is copied from there.
 * A long one takes two, and is not copied. The result is kept alive here until the next call, so
 * the host always reads live memory, and nothing is ever converted or leaked. An emitted payload
 * crosses the same way, the other way round: offset_of() says where it is, and the host answers
 * into a reply buffer of ours.
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

enum { LAST_KIND = 5, REPLY_CAPACITY = 4096, INBOX_CAPACITY = 65536 };

/* One guest, one call at a time: what crosses lives here. */
static PyObject *answer;
static char inbox[INBOX_CAPACITY];
static PyObject *reserved;
static PyObject *result;
static Outcome outcome;
static struct {
  Outcome outcome;
  char reason[REPLY_CAPACITY - sizeof(Outcome)];
} reply;

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
  Py_CLEAR(reserved);
  reserved = PyBytes_FromStringAndSize(NULL, length);
  return reserved ? PyLong_FromSize_t((size_t)PyBytes_AsString(reserved)) : NULL;
}

/* The payload that the host wrote where direct_reserve() said. */
static PyObject *taken(Py_ssize_t length) {
  if (length >= 0 && length <= INBOX_CAPACITY) return PyBytes_FromStringAndSize(inbox, length);
  PyObject *payload = reserved;
  reserved = NULL;
  if (payload && PyBytes_Size(payload) == length) return payload;
  Py_XDECREF(payload);
  return PyErr_Format(PyExc_RuntimeError, "run() of %zd bytes that reserve() was not asked for",
                      length);
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
  Py_DECREF(payload);
  bool is_kept = answered && has_kept(answered);
  Py_XDECREF(answered);
  return is_kept ? PyLong_FromSize_t((size_t)&outcome) : NULL;
}

static PyObject *direct_offset_of(PyObject *module, PyObject *data) {
  (void)module;
  char *bytes = PyBytes_AsString(data);
  return bytes ? PyLong_FromSize_t((size_t)bytes) : NULL;
}

static PyObject *direct_reply_buffer(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  memset(&reply.outcome, 0, sizeof reply.outcome);
  PyObject *offset = PyLong_FromSize_t((size_t)&reply);
  PyObject *capacity = PyLong_FromSize_t(sizeof reply);
  PyObject *pair = offset && capacity ? PyTuple_Pack(2, offset, capacity) : NULL;
  Py_XDECREF(offset);
  Py_XDECREF(capacity);
  return pair;
}

static PyObject *direct_reply(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  const Outcome *answer = &reply.outcome;
  if (answer->length > sizeof reply.reason ||
      (answer->length && answer->offset != (uint32_t)(size_t)reply.reason)) {
    PyErr_SetString(PyExc_RuntimeError, "the host's reply to emit() is not in the reply buffer");
    return NULL;
  }
  /* The host cuts a long reason by bytes, perhaps inside a character. */
  PyObject *reason = PyUnicode_DecodeUTF8(reply.reason, (Py_ssize_t)answer->length, "replace");
  PyObject *number = answer->has_number ? PyLong_FromUnsignedLongLong(answer->number)
                                        : Py_NewRef(Py_None);
  PyObject *kind = PyLong_FromUnsignedLong(answer->kind);
  PyObject *triple = reason && number && kind ? PyTuple_Pack(3, kind, reason, number) : NULL;
  Py_XDECREF(kind);
  Py_XDECREF(reason);
  Py_XDECREF(number);
  return triple;
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
    {"reply_buffer", direct_reply_buffer, METH_NOARGS,
     "reply_buffer()\n--\n\n(offset, capacity) of where the host answers an emit."},
    {"reply", direct_reply, METH_NOARGS,
     "reply()\n--\n\n(kind, reason, number or None) as the host answered the last emit."},
    {NULL, NULL, 0, NULL},
};
