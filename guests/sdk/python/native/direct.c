/* The guest's side of wit/direct.wit: payloads cross as offsets into this memory.
 *
 *     host                          guest
 *     reserve(len)            ──►   reserve(): a bytes object of that length, not yet filled
 *     writes the payload      ──►   (its buffer)
 *     run(signal, len)        ──►   take(): that bytes object, uncopied
 *                             ◄──   outcome(): 24 bytes that say what became of it
 *     copies the result out
 *
 * The result is kept alive here until the next call, so the host always reads live memory, and
 * nothing is ever converted or leaked. An emitted payload crosses the same way, the other way
 * round: offset_of() says where it is, and the host answers into a reply buffer of ours.
 */
#include "direct.h"

/* wit/direct.wit's outcome. */
typedef struct {
  uint32_t kind;
  uint32_t offset;
  uint32_t length;
  uint32_t has_number;
  uint64_t number;
} Outcome;

_Static_assert(sizeof(Outcome) == 24, "an outcome is 24 bytes");

enum { LAST_KIND = 5, REPLY_CAPACITY = 4096 };

/* One guest, one call at a time: what crosses lives here. */
static PyObject *reserved;
static PyObject *result;
static Outcome outcome;
static struct {
  Outcome outcome;
  char reason[REPLY_CAPACITY - sizeof(Outcome)];
} reply;

static PyObject *direct_reserve(PyObject *module, PyObject *argument) {
  (void)module;
  Py_ssize_t length = PyNumber_AsSsize_t(argument, PyExc_OverflowError);
  if (length < 0) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "a payload's length is not negative");
    return NULL;
  }
  Py_CLEAR(result);
  Py_CLEAR(reserved);
  reserved = PyBytes_FromStringAndSize(NULL, length);
  return reserved ? PyLong_FromSize_t((size_t)PyBytes_AsString(reserved)) : NULL;
}

static PyObject *direct_take(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  PyObject *taken = reserved;
  reserved = NULL;
  if (!taken) PyErr_SetString(PyExc_RuntimeError, "run() without a payload: reserve() comes first");
  return taken;
}

static PyObject *direct_outcome(PyObject *module, PyObject *arguments) {
  (void)module;
  int kind;
  PyObject *data, *number = Py_None;
  if (!PyArg_ParseTuple(arguments, "iS|O:outcome", &kind, &data, &number)) return NULL;
  if (kind < 0 || kind > LAST_KIND) {
    return PyErr_Format(PyExc_ValueError, "an outcome's kind is 0 to %d, not %d", LAST_KIND, kind);
  }
  unsigned long long value = 0;
  if (number != Py_None) {
    value = PyLong_AsUnsignedLongLong(number);
    if (PyErr_Occurred()) return NULL;
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
  return PyLong_FromSize_t((size_t)&outcome);
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
    {"reserve", direct_reserve, METH_O,
     "reserve(length, /)\n--\n\nMake room for a payload; the offset that the host writes it to."},
    {"take", direct_take, METH_NOARGS,
     "take()\n--\n\nThe payload that the host wrote where reserve() said, uncopied."},
    {"outcome", direct_outcome, METH_VARARGS,
     "outcome(kind, data, number=None, /)\n--\n\nThe offset of an outcome for the host; *data*\n"
     "(the payload, reason or message) stays alive until the next call."},
    {"offset_of", direct_offset_of, METH_O,
     "offset_of(data, /)\n--\n\nWhere a bytes object's content is; valid while the caller holds it."},
    {"reply_buffer", direct_reply_buffer, METH_NOARGS,
     "reply_buffer()\n--\n\n(offset, capacity) of where the host answers an emit."},
    {"reply", direct_reply, METH_NOARGS,
     "reply()\n--\n\n(kind, reason, number or None) as the host answered the last emit."},
    {NULL, NULL, 0, NULL},
};
