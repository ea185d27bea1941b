/* The fields of a message as a view shows them, by the schema's kinds. */
#include "view.h"

static Place *place_of(PyObject *holder) {
  return &((Holder *)holder)->place;
}

PyObject *place_bytes(Place *place) {
  Node *node = place_find_node(place);
  if (node) return node_render(place->tree, node);
  return PyBytes_FromStringAndSize((const char *)place->data, place->end - place->data);
}

/* Passes over short fields of an unchanged message up to one with that tag. */
static void skip_to(Cursor *cursor, uint32_t tag) {
  const uint8_t *p = cursor->p, *end = cursor->place->end;
  if (place_find_node(cursor->place)) return;
  while (end - p >= 4) {
    uint32_t head = load32(p);
    size_t size = short_field_size(head, (size_t)(end - p));
    if (!size || (head & 0xff) == tag) break;
    p += size;
  }
  cursor->p = p;
}

/* The last one given counts; one of a oneof also ends the others. */
static PyObject *get_scalar(Place *place, const Field *field) {
  const Message *message = &MESSAGES[place->message];
  Cursor cursor = cursor_at(place);
  WireField wire, last;
  int got, is_there = 0;
  for (;;) {
    if (!field->oneof) skip_to(&cursor, (uint32_t)field->number << 3 | wire_of(field));
    got = cursor_next(&cursor, &wire);
    if (got <= 0) break;
    if (wire.number == field->number) {
      if (!is_value_of(field, &wire)) continue;
      last = wire;
      is_there = 1;
    } else if (field->oneof) {
      const Field *other = field_of(message, wire.number);
      if (other && other->oneof == field->oneof && is_value_of(other, &wire)) is_there = 0;
    }
  }
  if (got < 0) return NULL;
  return is_there ? decode_scalar(field, &last) : default_scalar(field);
}

static PyObject *get_repeated(Place *place, const Field *field) {
  Cursor cursor = cursor_at(place);
  WireField wire;
  int got, failed = 0;
  PyObject *list = PyList_New(0);
  while (list && !failed && (got = cursor_next(&cursor, &wire)) != 0) {
    failed = got < 0 || (wire.number == field->number && is_value_of(field, &wire) &&
                         decode_repeated(field, &wire, list));
  }
  if (failed) Py_CLEAR(list);
  return list;
}

static PyObject *get_any(Place *place, const Field *field) {
  Place child;
  PyObject *bytes = place_single(place, field, &child) ? NULL : place_bytes(&child);
  if (!bytes) return NULL;
  const uint8_t *start = (const uint8_t *)PyBytes_AsString(bytes);
  PyObject *value = decode_any((Range){start, start + PyBytes_Size(bytes)});
  Py_DECREF(bytes);
  return value;
}

PyObject *place_value(Place *place, const Field *field) {
  if (field->kind != KIND_MESSAGE) {
    return field->repeated ? get_repeated(place, field) : get_scalar(place, field);
  }
  if (field->message == ANY_VALUE && !field->repeated) return get_any(place, field);
  return PyErr_Format(PyExc_TypeError, "%s.%s is no single value", MESSAGES[place->message].name,
                      field->name);
}

PyObject *field_get(PyObject *view, const Field *field) {
  Place *place = place_of(view);
  if (field->kind != KIND_MESSAGE) return place_value(place, field);
  if (field->repeated) {
    int is_attributes = field->number == MESSAGES[place->message].attributes;
    return is_attributes ? attributes_new(view) : views_new(view, NULL, field->number, NULL);
  }
  if (field->message == ANY_VALUE) return get_any(place, field);
  Place child;
  if (place_single(place, field, &child)) return NULL;
  if (field->oneof && place_is_absent(&child)) Py_RETURN_NONE; /* as place_value does */
  return view_new(&child, view);
}

/* Takes out every occurrence of the field, and where there are new bytes those of others in its
 * oneof, and puts the new bytes where the first one was. */
static int replace_field(Place *place, const Field *field, const uint8_t *bytes, size_t size) {
  const Message *message = &MESSAGES[place->message];
  Cursor cursor = cursor_at(place);
  WireField wire;
  int got, is_written = 0;
  while ((got = cursor_next(&cursor, &wire)) > 0) {
    const Field *other = field_of(message, wire.number);
    if (!other || !is_value_of(other, &wire)) continue;
    int is_replaced = size && field->oneof && other->oneof == field->oneof;
    if (other != field && !is_replaced) continue;
    if (change_field(&cursor, &wire, is_written ? NULL : bytes, is_written ? 0 : size)) return -1;
    is_written = 1;
  }
  if (got < 0) return -1;
  return is_written || !size ? 0 : change_append(place, field->number, bytes, size);
}

static int encode_field(Buffer *buffer, const Field *field, PyObject *value) {
  size_t mark;
  if (field->kind != KIND_MESSAGE) {
    return field->repeated ? encode_repeated(buffer, field, value)
                           : encode_scalar(buffer, field, value);
  }
  return buffer_begin(buffer, field->number, &mark) || encode_any(buffer, value, 0) ||
                 buffer_end(buffer, mark)
             ? -1
             : 0;
}

int field_set(PyObject *view, const Field *field, PyObject *value) {
  Place *place = place_of(view);
  Tree *tree = place->tree;
  if (field->kind == KIND_MESSAGE && field->number == MESSAGES[place->message].attributes) {
    return attributes_replace(view, value);
  }
  if (field->kind == KIND_MESSAGE && value && field->message != ANY_VALUE) {
    PyErr_Format(PyExc_TypeError, "%s is not set as a whole: set what is in it", field->name);
    return -1;
  }
  Buffer buffer = {0};
  int failed = value && encode_field(&buffer, field, value);
  const uint8_t *bytes = failed ? NULL : arena_copy(&tree->arena, buffer.bytes, buffer.size);
  failed = !bytes || replace_field(place, field, bytes, buffer.size);
  buffer_free(&buffer);
  return failed ? -1 : 0;
}
