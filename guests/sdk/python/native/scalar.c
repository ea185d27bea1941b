/* Numbers, texts and bytes of fields, between the wire and Python, by the schema's kinds. */
#include "check.h"
#include "text.h"
#include "value.h"

static int is_signed(const Field *field) {
  switch (field->kind) {
    case KIND_INT32:
    case KIND_INT64:
    case KIND_SINT32:
    case KIND_SINT64:
    case KIND_SFIXED32:
    case KIND_SFIXED64:
    case KIND_ENUM:
      return 1;
  }
  return 0;
}

static int bits_of(const Field *field) {
  switch (field->kind) {
    case KIND_INT64:
    case KIND_UINT64:
    case KIND_SINT64:
    case KIND_FIXED64:
    case KIND_SFIXED64:
    case KIND_DOUBLE:
      return 64;
  }
  return 32;
}

uint32_t wire_of(const Field *field) {
  switch (field->kind) {
    case KIND_STRING:
    case KIND_BYTES:
    case KIND_MESSAGE:
      return WIRE_BYTES;
    case KIND_DOUBLE:
    case KIND_FIXED64:
    case KIND_SFIXED64:
      return WIRE_64BIT;
    case KIND_FLOAT:
    case KIND_FIXED32:
    case KIND_SFIXED32:
      return WIRE_32BIT;
  }
  return WIRE_VARINT;
}

int is_value_of(const Field *field, const WireField *wire) {
  uint32_t single = wire_of(field);
  return wire->wire == single || (field->repeated && wire->wire == WIRE_BYTES);
}

/* A number's Python value from what the wire held. */
static PyObject *decode_number(const Field *field, uint64_t value) {
  double wide;
  float narrow;
  uint32_t bits = (uint32_t)value;
  switch (field->kind) {
    case KIND_BOOL:
      return PyBool_FromLong(value != 0);
    case KIND_DOUBLE:
      memcpy(&wide, &value, 8);
      return PyFloat_FromDouble(wide);
    case KIND_FLOAT:
      memcpy(&narrow, &bits, 4);
      return PyFloat_FromDouble(narrow);
    case KIND_SINT32:
      return PyLong_FromLong((int32_t)(bits >> 1 ^ (0 - (bits & 1))));
    case KIND_SINT64:
      return PyLong_FromLongLong((int64_t)(value >> 1 ^ (0 - (value & 1))));
  }
  if (bits_of(field) == 64) {
    return is_signed(field) ? PyLong_FromLongLong((int64_t)value)
                            : PyLong_FromUnsignedLongLong(value);
  }
  return is_signed(field) ? PyLong_FromLong((int32_t)bits) : PyLong_FromUnsignedLong(bits);
}

PyObject *decode_scalar(const Field *field, const WireField *wire) {
  if (field->kind == KIND_STRING) {
    return text_decode(wire->data, wire->end);
  }
  if (field->kind == KIND_BYTES) {
    return PyBytes_FromStringAndSize((const char *)wire->data, wire->end - wire->data);
  }
  return decode_number(field, wire->value);
}

PyObject *default_scalar(const Field *field) {
  if (field->oneof) Py_RETURN_NONE; /* these know whether they were set */
  static const uint8_t nothing[1];
  WireField absent = {.data = nothing, .end = nothing};
  return decode_scalar(field, &absent);
}

static int append(PyObject *list, PyObject *value) {
  int result = value ? PyList_Append(list, value) : -1;
  Py_XDECREF(value);
  return result;
}

int decode_repeated(const Field *field, const WireField *wire, PyObject *list) {
  uint32_t single = wire_of(field);
  if (wire->wire == single) return append(list, decode_scalar(field, wire));
  const uint8_t *p = wire->data;
  while (p < wire->end) { /* packed */
    WireField element = {.wire = single};
    size_t size = single == WIRE_64BIT ? 8 : 4;
    if (single == WIRE_VARINT) {
      p = read_varint(p, wire->end, &element.value);
    } else if ((size_t)(wire->end - p) < size) {
      p = NULL;
    } else {
      memcpy(&element.value, p, size);
      p += size;
    }
    if (!p) {
      malformed_raise("malformed payload: a list holds a broken number");
      return -1;
    }
    if (append(list, decode_scalar(field, &element))) return -1;
  }
  return 0;
}

static int refuse_type(const Field *field, const char *type, PyObject *value) {
  PyErr_Format(PyExc_TypeError, "%s is %s, not %R", field->name, type, value);
  return -1;
}

static int refuse_number(const Field *field, const char *type, PyObject *value) {
  return PyErr_ExceptionMatches(PyExc_TypeError) ? refuse_type(field, type, value) : -1;
}

/* The bits that a Python number has on the wire. */
static int encode_number(const Field *field, PyObject *value, uint64_t *bits) {
  if (field->kind == KIND_DOUBLE || field->kind == KIND_FLOAT) {
    double wide = PyFloat_AsDouble(value);
    if (PyErr_Occurred()) return refuse_number(field, "a float", value);
    float narrow = (float)wide;
    *bits = 0;
    memcpy(bits, field->kind == KIND_DOUBLE ? (void *)&wide : (void *)&narrow,
           field->kind == KIND_DOUBLE ? 8 : 4);
    return 0;
  }
  PyObject *number = PyNumber_Index(value);
  if (!number) return refuse_number(field, field->kind == KIND_BOOL ? "a bool" : "an int", value);
  int is_narrow = bits_of(field) == 32;
  long long wide = 0;
  if (is_signed(field) || is_narrow) {
    wide = PyLong_AsLongLong(number);
    *bits = (uint64_t)wide;
  } else {
    *bits = PyLong_AsUnsignedLongLong(number);
  }
  Py_DECREF(number);
  int is_outside = PyErr_Occurred() != NULL;
  if (is_narrow && !is_outside) {
    is_outside = is_signed(field) ? wide < INT32_MIN || wide > INT32_MAX
                                  : wide < 0 || wide > UINT32_MAX;
  }
  if (is_outside) {
    PyErr_Format(PyExc_ValueError, "%R does not fit into %s, which has %d bits%s", value,
                 field->name, bits_of(field), is_signed(field) ? "" : " and no sign");
    return -1;
  }
  if (field->kind == KIND_BOOL) *bits = *bits != 0;
  if (field->kind == KIND_SINT32) *bits = (uint32_t)wide << 1 ^ (0 - (uint32_t)(wide < 0));
  if (field->kind == KIND_SINT64) *bits = (uint64_t)wide << 1 ^ (0 - (uint64_t)(wide < 0));
  return 0;
}

static int put_number(Buffer *buffer, const Field *field, uint64_t bits) {
  switch (wire_of(field)) {
    case WIRE_64BIT:
      return buffer_put(buffer, &bits, 8);
    case WIRE_32BIT:
      return buffer_put(buffer, &bits, 4);
  }
  return buffer_varint(buffer, bits);
}

/* How long an id is; 0 for what is none. Servers refuse a whole request for one of another length. */
static size_t id_size(const Field *field) {
  size_t length = strlen(field->name);
  if (length < 7 || strcmp(field->name + length - 3, "_id")) return 0;
  if (!strcmp(field->name, "trace_id") || !strcmp(field->name, "profile_id")) return 16;
  return !strcmp(field->name, "span_id") || !strcmp(field->name, "parent_span_id") ? 8 : 0;
}

int encode_scalar(Buffer *buffer, const Field *field, PyObject *value) {
  uint64_t bits;
  Range range;
  int has_default = !field->oneof && !field->repeated; /* which stays unwritten */
  if (wire_of(field) != WIRE_BYTES) {
    if (encode_number(field, value, &bits)) return -1;
    if (has_default && !bits) return 0;
    return buffer_tag(buffer, field->number, wire_of(field)) || put_number(buffer, field, bits)
               ? -1
               : 0;
  }
  if (field->kind == KIND_STRING && PyUnicode_Check(value)) {
    if (text_range(value, &range)) return -1;
  } else if (field->kind == KIND_BYTES && PyBytes_Check(value)) {
    const uint8_t *bytes = (const uint8_t *)PyBytes_AsString(value);
    range = (Range){bytes, bytes + PyBytes_Size(value)};
    size_t size = id_size(field);
    if (size && range_size(range) && range_size(range) != size) {
      PyErr_Format(PyExc_ValueError, "%s has %zd bytes, not %zd: %R", field->name,
                   (Py_ssize_t)size, (Py_ssize_t)range_size(range), value);
      return -1;
    }
  } else {
    return refuse_type(field, field->kind == KIND_STRING ? "a str" : "bytes", value);
  }
  if (has_default && range.data == range.end) return 0;
  return buffer_bytes(buffer, field->number, range.data, range_size(range));
}

int encode_repeated(Buffer *buffer, const Field *field, PyObject *values) {
  int is_packed = wire_of(field) != WIRE_BYTES;
  Py_ssize_t count = PySequence_Size(values);
  size_t whole;
  if (count < 0 || (is_packed && count && buffer_begin(buffer, field->number, &whole))) return -1;
  for (Py_ssize_t i = 0; i < count; i++) {
    uint64_t bits;
    PyObject *value = PySequence_GetItem(values, i);
    int failed = !value ||
                 (is_packed ? encode_number(field, value, &bits) || put_number(buffer, field, bits)
                            : encode_scalar(buffer, field, value));
    Py_XDECREF(value);
    if (failed) return -1;
  }
  return is_packed && count ? buffer_end(buffer, whole) : 0;
}
