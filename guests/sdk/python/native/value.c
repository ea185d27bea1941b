/* Attribute values between the wire (AnyValue, KeyValue) and Python.
 *
 * Where a sender gives a field twice, protobuf's rule holds: the last number or text counts, and
 * messages are merged, which is what decoding their joined bytes gives.
 */
#include "check.h"
#include "text.h"
#include "value.h"

static int broken_value(void) {
  if (!PyErr_Occurred()) {
    malformed_raise("malformed payload: an attribute's value is broken");
  }
  return -1;
}

int text_range(PyObject *text, Range *range) {
  Py_ssize_t size;
  const char *bytes = PyUnicode_AsUTF8AndSize(text, &size);
  if (!bytes) return -1;
  *range = (Range){(const uint8_t *)bytes, (const uint8_t *)bytes + size};
  return 0;
}

int pair_key(Range pair, Range *key) {
  const uint8_t *p = pair.data;
  *key = (Range){p, p};
  /* Nearly always a short key and the value behind it are all. */
  if (LIKELY(pair.end - p >= 2 && p[0] == (PAIR_KEY << 3 | WIRE_BYTES) && p[1] < 0x80 &&
             p[1] <= pair.end - p - 2)) {
    const uint8_t *next = p + 2 + p[1];
    size_t length;
    *key = (Range){p + 2, next};
    if (LIKELY(next < pair.end && *next == (PAIR_VALUE << 3 | WIRE_BYTES))) {
      const uint8_t *value = read_length(next + 1, pair.end, &length);
      if (LIKELY(value && value + length == pair.end)) return 1;
    }
  }
  while (p < pair.end) {
    WireField field;
    p = read_field(p, pair.end, &field);
    if (!p) return -1;
    if (field.number == PAIR_KEY && field.wire == WIRE_BYTES) {
      *key = (Range){field.data, field.end};
    }
  }
  return 0;
}

/* The AnyValue of a pair that pair_key calls plain. */
static Range plain_value(Range pair, Range key) {
  size_t length;
  const uint8_t *p = read_length(key.end + 1, pair.end, &length); /* behind the value's tag */
  return (Range){p, pair.end};
}

int pair_text(Range pair, Range *text) {
  Range key;
  size_t length;
  if (pair_key(pair, &key) != 1) return 0;
  Range value = plain_value(pair, key);
  if (value.data == value.end || *value.data != (ANY_STRING << 3 | WIRE_BYTES)) return 0;
  const uint8_t *p = read_length(value.data + 1, value.end, &length);
  if (!p || p + length != value.end) return 0;
  *text = (Range){p, value.end};
  return 1;
}

/* The content of a message field: the range of the only one, or the joined bytes of several,
 * then held by *joined*. An absent one is empty. */
static int merged_field(Range message, uint32_t number, Range *content, Buffer *joined) {
  const uint8_t *p = message.data;
  int count = 0;
  *content = (Range){message.end, message.end};
  while (p < message.end) {
    WireField field;
    p = read_field(p, message.end, &field);
    if (!p) return broken_value();
    if (field.number != number || field.wire != WIRE_BYTES) continue;
    if (++count == 2 && buffer_put(joined, content->data, (size_t)(content->end - content->data))) {
      return -1;
    }
    *content = (Range){field.data, field.end};
    if (count >= 2 && buffer_put(joined, field.data, (size_t)(field.end - field.data))) return -1;
  }
  if (count >= 2) *content = (Range){joined->bytes, joined->bytes + joined->size};
  return 0;
}

static int refuse_type(PyObject *value, const char *format) {
  PyObject *name = PyType_GetName(Py_TYPE(value));
  if (name) PyErr_Format(PyExc_TypeError, format, name);
  Py_XDECREF(name);
  return -1;
}

static PyObject *decode_nested(Range value, int nesting);

static PyObject *decode_text(const WireField *wire) {
  return text_decode(wire->data, wire->end);
}

static PyObject *decode_octets(const WireField *wire) {
  return PyBytes_FromStringAndSize((const char *)wire->data, wire->end - wire->data);
}

static PyObject *decode_double(uint64_t bits) {
  double number;
  memcpy(&number, &bits, 8);
  return PyFloat_FromDouble(number);
}

static PyObject *decode_pair_nested(Range pair, int nesting) {
  Range content;
  if (LIKELY(pair_key(pair, &content) == 1)) {
    return decode_nested(plain_value(pair, content), nesting);
  }
  Buffer joined = {0};
  PyObject *value = NULL;
  if (!merged_field(pair, PAIR_VALUE, &content, &joined)) value = decode_nested(content, nesting);
  buffer_free(&joined);
  return value;
}

static int add_pair(PyObject *dict, Range pair, int nesting) {
  Range key;
  if (pair_key(pair, &key) < 0) return broken_value();
  PyObject *name = text_decode(key.data, key.end);
  PyObject *value = name ? decode_pair_nested(pair, nesting) : NULL;
  int result = value ? PyDict_SetItem(dict, name, value) : -1;
  Py_XDECREF(name);
  Py_XDECREF(value);
  return result;
}

static int add_element(PyObject *list, Range element, int nesting) {
  PyObject *value = decode_nested(element, nesting);
  int result = value ? PyList_Append(list, value) : -1;
  Py_XDECREF(value);
  return result;
}

/* The list of an ArrayValue or the dict of a KeyValueList. */
static PyObject *decode_container(Range content, uint32_t member, int nesting) {
  if (nesting >= MAX_DEPTH) {
    malformed_raise("malformed payload: a value is nested too deeply");
    return NULL;
  }
  PyObject *container = member == ANY_ARRAY ? PyList_New(0) : PyDict_New();
  const uint8_t *p = content.data;
  while (container && p < content.end) {
    WireField field;
    int result = 0;
    p = read_field(p, content.end, &field);
    if (!p) {
      result = broken_value();
    } else if (field.number == LIST_VALUES && field.wire == WIRE_BYTES) {
      Range range = {field.data, field.end};
      result = member == ANY_ARRAY ? add_element(container, range, nesting + 1)
                                   : add_pair(container, range, nesting + 1);
    }
    if (result) Py_CLEAR(container);
  }
  return container;
}

static const uint8_t ANY_WIRES[] = {
    [ANY_STRING] = WIRE_BYTES,   [ANY_BOOL] = WIRE_VARINT,   [ANY_INT] = WIRE_VARINT,
    [ANY_DOUBLE] = WIRE_64BIT,   [ANY_ARRAY] = WIRE_BYTES,   [ANY_KVLIST] = WIRE_BYTES,
    [ANY_BYTES] = WIRE_BYTES,    [ANY_STRINDEX] = WIRE_VARINT,
};

static int is_member(const WireField *field) {
  return field->number >= ANY_STRING && field->number <= ANY_STRINDEX &&
         field->wire == ANY_WIRES[field->number];
}

/* An AnyValue holds one member: the last one given. */
static PyObject *decode_nested(Range value, int nesting) {
  const uint8_t *p = value.data, *since = value.data;
  WireField last = {0};
  int count = 0;
  while (p < value.end) {
    WireField field;
    p = read_field(p, value.end, &field);
    if (!p) {
      broken_value();
      return NULL;
    }
    if (!is_member(&field)) continue;
    count = field.number == last.number ? count + 1 : 1;
    if (count == 1) since = field.start;
    last = field;
  }
  switch (last.number) {
    case ANY_STRING:
      return decode_text(&last);
    case ANY_BOOL:
      return PyBool_FromLong(last.value != 0);
    case ANY_INT:
      return PyLong_FromLongLong((int64_t)last.value);
    case ANY_DOUBLE:
      return decode_double(last.value);
    case ANY_BYTES:
      return decode_octets(&last);
    case ANY_STRINDEX: /* a place in a profile's table of texts */
      return PyLong_FromLong((int32_t)last.value);
    case ANY_ARRAY:
    case ANY_KVLIST: {
      Range content = {last.data, last.end}, tail = {since, value.end};
      Buffer joined = {0};
      PyObject *container = NULL;
      if (count == 1 || !merged_field(tail, last.number, &content, &joined)) {
        container = decode_container(content, last.number, nesting);
      }
      buffer_free(&joined);
      return container;
    }
  }
  Py_RETURN_NONE;
}

PyObject *decode_any(Range value) {
  return decode_nested(value, 0);
}

PyObject *decode_pair_value(Range pair) {
  Range text;
  if (pair_text(pair, &text)) {
    return text_decode(text.data, text.end);
  }
  return decode_pair_nested(pair, 0);
}

/* No way of getting at the elements that could run Python code: *buffer* is half written. */
static int encode_list(Buffer *buffer, PyObject *list, int nesting) {
  int is_list = PyList_Check(list);
  Py_ssize_t count = is_list ? PyList_Size(list) : PyTuple_Size(list);
  size_t whole, element;
  if (buffer_begin(buffer, ANY_ARRAY, &whole)) return -1;
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject *value = is_list ? PyList_GetItem(list, i) : PyTuple_GetItem(list, i);
    if (!value || buffer_begin(buffer, LIST_VALUES, &element) ||
        encode_any(buffer, value, nesting + 1) || buffer_end(buffer, element)) {
      return -1;
    }
  }
  return buffer_end(buffer, whole);
}

static int encode_dict(Buffer *buffer, PyObject *dict, int nesting) {
  size_t whole, pair, content;
  PyObject *name, *value;
  Py_ssize_t position = 0;
  if (buffer_begin(buffer, ANY_KVLIST, &whole)) return -1;
  while (PyDict_Next(dict, &position, &name, &value)) {
    Range key;
    if (!PyUnicode_Check(name)) {
      return refuse_type(name, "a map's key is a str, not %U");
    }
    if (text_range(name, &key) || buffer_begin(buffer, LIST_VALUES, &pair) ||
        buffer_bytes(buffer, PAIR_KEY, key.data, range_size(key)) ||
        buffer_begin(buffer, PAIR_VALUE, &content) || encode_any(buffer, value, nesting + 1) ||
        buffer_end(buffer, content) || buffer_end(buffer, pair)) {
      return -1;
    }
  }
  return buffer_end(buffer, whole);
}

int encode_any(Buffer *buffer, PyObject *value, int nesting) {
  if (PyUnicode_Check(value)) {
    Range text;
    if (text_range(value, &text)) return -1;
    return buffer_bytes(buffer, ANY_STRING, text.data, range_size(text));
  }
  if (value == Py_None) return 0;
  if (PyBool_Check(value)) {
    const uint8_t encoded[] = {ANY_BOOL << 3 | WIRE_VARINT, value == Py_True};
    return buffer_put(buffer, encoded, sizeof encoded);
  }
  if (PyLong_Check(value)) {
    long long number = PyLong_AsLongLong(value);
    if (number == -1 && PyErr_Occurred()) {
      PyErr_Format(PyExc_ValueError, "%R does not fit into an OTLP integer, which has 64 bits",
                   value);
      return -1;
    }
    return buffer_tag(buffer, ANY_INT, WIRE_VARINT) || buffer_varint(buffer, (uint64_t)number) ? -1
                                                                                               : 0;
  }
  if (PyFloat_Check(value)) {
    double number = PyFloat_AsDouble(value);
    return buffer_tag(buffer, ANY_DOUBLE, WIRE_64BIT) || buffer_put(buffer, &number, 8) ? -1 : 0;
  }
  if (PyBytes_Check(value)) {
    return buffer_bytes(buffer, ANY_BYTES, PyBytes_AsString(value), (size_t)PyBytes_Size(value));
  }
  int is_list = PyList_Check(value) || PyTuple_Check(value);
  if (!is_list && !PyDict_Check(value)) {
    return refuse_type(value, "an attribute holds str, bool, int, float, bytes, None, or lists and "
                              "dicts of these, not %U");
  }
  if (nesting >= MAX_NESTING) {
    PyErr_Format(PyExc_ValueError, "an attribute's value can nest %d levels, not more",
                 MAX_NESTING);
    return -1;
  }
  return is_list ? encode_list(buffer, value, nesting) : encode_dict(buffer, value, nesting);
}

/* A pair of texts: all lengths are known beforehand. */
static int encode_text_pair(Buffer *buffer, uint32_t number, Range key, Range text) {
  size_t value_size = 1 + varint_size(range_size(text)) + range_size(text);
  size_t key_size = 1 + varint_size(range_size(key)) + range_size(key);
  size_t pair_size = key_size + 1 + varint_size(value_size) + value_size;
  if (buffer_room(buffer, 20 + pair_size)) return -1;
  uint8_t *p = buffer->bytes + buffer->size;
  p = write_varint(p, (uint64_t)number << 3 | WIRE_BYTES);
  p = write_varint(p, pair_size);
  p = write_field(p, PAIR_KEY, key.data, range_size(key));
  *p++ = PAIR_VALUE << 3 | WIRE_BYTES;
  p = write_varint(p, value_size);
  p = write_field(p, ANY_STRING, text.data, range_size(text));
  buffer->size = (size_t)(p - buffer->bytes);
  return 0;
}

int encode_pair(Buffer *buffer, uint32_t number, Range key, PyObject *value) {
  size_t pair, content;
  Range text;
  if (PyUnicode_Check(value)) {
    return text_range(value, &text) ? -1 : encode_text_pair(buffer, number, key, text);
  }
  return buffer_begin(buffer, number, &pair) ||
                 buffer_bytes(buffer, PAIR_KEY, key.data, range_size(key)) ||
                 buffer_begin(buffer, PAIR_VALUE, &content) || encode_any(buffer, value, 0) ||
                 buffer_end(buffer, content) || buffer_end(buffer, pair)
             ? -1
             : 0;
}

/* All fields of a KeyValue but those of that number, which *replacement* takes the place of. */
static int encode_pair_with(Buffer *buffer, uint32_t number, Range pair, uint32_t replaced,
                            Range replacement) {
  size_t whole;
  int is_written = 0;
  const uint8_t *p = pair.data;
  if (buffer_begin(buffer, number, &whole)) return -1;
  while (p < pair.end) {
    WireField field;
    p = read_field(p, pair.end, &field);
    if (!p) return broken_value();
    if (field.number != replaced || field.wire != WIRE_BYTES) {
      if (buffer_put(buffer, field.start, (size_t)(field.end - field.start))) return -1;
    } else if (!is_written++) {
      if (buffer_bytes(buffer, replaced, replacement.data, range_size(replacement))) return -1;
    }
  }
  if (!is_written && buffer_bytes(buffer, replaced, replacement.data, range_size(replacement))) {
    return -1;
  }
  return buffer_end(buffer, whole);
}

int encode_pair_with_value(Buffer *buffer, uint32_t number, Range pair, Range value) {
  return encode_pair_with(buffer, number, pair, PAIR_VALUE, value);
}

int encode_pair_with_key(Buffer *buffer, uint32_t number, Range pair, Range key) {
  return encode_pair_with(buffer, number, pair, PAIR_KEY, key);
}
