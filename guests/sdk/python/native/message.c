/* Messages made of dicts: {"name": "GET", "attributes": {"k": 1}, "events": [{"name": "e"}]}. */
#include "message.h"

#include "text.h"
#include "value.h"

static int encode_field(Buffer *buffer, const Field *field, PyObject *value, int depth);

static const Field *refuse_name(const Message *message, PyObject *name) {
  PyObject *names = NULL;
  for (int i = 0; i < message->field_count; i++) {
    if (!(names = text_listed(names, message->fields[i].name))) return NULL;
  }
  if (names) PyErr_Format(PyExc_ValueError, "%s has no %R; it has %U", message->name, name, names);
  Py_XDECREF(names);
  return NULL;
}

static const Field *field_called(const Message *message, PyObject *name) {
  Range text;
  if (!PyUnicode_Check(name)) {
    PyErr_Format(PyExc_TypeError, "a field is named by a str, not %R", name);
    return NULL;
  }
  if (text_range(name, &text)) return NULL;
  for (int i = 0; i < message->field_count; i++) {
    const Field *field = &message->fields[i];
    Range known = {(const uint8_t *)field->name, (const uint8_t *)field->name + strlen(field->name)};
    if (range_equals(text, known)) return field;
  }
  return refuse_name(message, name);
}

static int encode_fields(Buffer *buffer, const Message *message, PyObject *dict, int depth) {
  PyObject *name, *value;
  Py_ssize_t position = 0;
  if (!PyDict_Check(dict)) {
    PyErr_Format(PyExc_TypeError, "%s is made of a dict of its fields, not %R", message->name, dict);
    return -1;
  }
  if (depth >= 20) { /* no message of OTLP's is that deep, values apart */
    PyErr_Format(PyExc_ValueError, "a %s is nested too deeply", message->name);
    return -1;
  }
  while (PyDict_Next(dict, &position, &name, &value)) {
    const Field *field = field_called(message, name);
    if (!field) return -1;
    Py_INCREF(value); /* a number's __index__ may change the dict */
    int failed = encode_field(buffer, field, value, depth);
    Py_DECREF(value);
    if (failed) return -1;
  }
  return 0;
}

static int encode_attributes(Buffer *buffer, const Field *field, PyObject *dict) {
  PyObject *name, *value;
  Py_ssize_t position = 0;
  Range key;
  if (!PyDict_Check(dict)) {
    PyErr_Format(PyExc_TypeError, "%s are a dict, not %R", field->name, dict);
    return -1;
  }
  while (PyDict_Next(dict, &position, &name, &value)) {
    if (!PyUnicode_Check(name)) {
      PyErr_Format(PyExc_TypeError, "an attribute's key is a str, not %R", name);
      return -1;
    }
    if (text_range(name, &key) || encode_pair(buffer, field->number, key, value)) return -1;
  }
  return 0;
}

static int encode_inner(Buffer *buffer, const Field *field, PyObject *value, int depth) {
  size_t mark;
  if (buffer_begin(buffer, field->number, &mark)) return -1;
  int failed = field->message == ANY_VALUE
                   ? encode_any(buffer, value, 0)
                   : encode_fields(buffer, &MESSAGES[field->message], value, depth + 1);
  return failed ? -1 : buffer_end(buffer, mark);
}

static int encode_inners(Buffer *buffer, const Field *field, PyObject *values, int depth) {
  int is_list = PyList_Check(values);
  if (!is_list && !PyTuple_Check(values)) {
    PyErr_Format(PyExc_TypeError, "%s are a list or a tuple, not %R", field->name, values);
    return -1;
  }
  for (Py_ssize_t i = 0; i < (is_list ? PyList_Size(values) : PyTuple_Size(values)); i++) {
    PyObject *value = is_list ? PyList_GetItem(values, i) : PyTuple_GetItem(values, i);
    if (!value) return -1;
    Py_INCREF(value);
    int failed = encode_inner(buffer, field, value, depth);
    Py_DECREF(value);
    if (failed) return -1;
  }
  return 0;
}

static int encode_field(Buffer *buffer, const Field *field, PyObject *value, int depth) {
  if (field->kind == KIND_MESSAGE) {
    if (!field->repeated) return encode_inner(buffer, field, value, depth);
    if (field->message == KEY_VALUE) return encode_attributes(buffer, field, value);
    return encode_inners(buffer, field, value, depth);
  }
  return field->repeated ? encode_repeated(buffer, field, value)
                         : encode_scalar(buffer, field, value);
}

int encode_message(Buffer *buffer, const Message *message, PyObject *dict) {
  return encode_fields(buffer, message, dict, 0);
}
