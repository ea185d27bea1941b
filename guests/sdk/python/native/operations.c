/* Changing attributes of a whole batch at once: one walk, one pass over each message's fields.
 *
 * OTLP's keys are unique. Where a sender repeats one anyway, the first is what counts, and
 * setting or renaming leaves no other behind.
 */
#include "operations.h"

#include "sha256.h"

Py_ssize_t operation_run(Operation *operation, Place *root, const Level *level) {
  Walk walk = {.level = level};
  Place places[WALK_DEPTH], place;
  Py_ssize_t total = 0;
  int got;
  walk_into(&walk, root);
  while ((got = walk_next(&walk, &place)) > 0) {
    if (walk_has(&walk, &place)) {
      int changed = operation->apply(operation, &place);
      if (changed < 0) return -1;
      total += changed;
    }
    if (walk_descends(&walk, &place)) {
      Place *kept = &places[walk.depth];
      *kept = place;
      walk_into(&walk, kept);
    }
  }
  return got < 0 ? -1 : total;
}

int next_attribute(Cursor *cursor, const Range *keys, size_t key_count, Attribute *attribute) {
  uint32_t number = MESSAGES[cursor->place->message].attributes;
  WireField *field = &attribute->field;
  int got;
  while ((got = cursor_next(cursor, field)) > 0) {
    if (field->number != number || field->wire != WIRE_BYTES) continue;
    Range key;
    attribute->pair = (Range){field->data, field->end};
    attribute->is_plain = pair_key(attribute->pair, &key);
    if (attribute->is_plain < 0) {
      tree_malformed(cursor->place->tree);
      return -1;
    }
    for (size_t i = 0; i < key_count; i++) {
      if (range_equals(key, keys[i])) return 1;
    }
  }
  return got;
}

int change_attribute(Cursor *cursor, const Attribute *attribute, Buffer *buffer) {
  const uint8_t *copy = arena_copy(&cursor->place->tree->arena, buffer->bytes, buffer->size);
  return copy ? change_field(cursor, &attribute->field, copy, buffer->size) : -1;
}

/* The KeyValue to set, as a field of the number that it has in this message. */
static const Range *pair_to_set(Operation *operation, Place *place) {
  uint32_t number = MESSAGES[place->message].attributes;
  Range *pair = &operation->pairs[number];
  if (pair->data) return pair;
  Buffer *buffer = tree_scratch(place->tree);
  size_t whole;
  const Range *key = operation->keys;
  if (buffer_begin(buffer, number, &whole) ||
      buffer_bytes(buffer, PAIR_KEY, key->data, range_size(*key)) ||
      buffer_bytes(buffer, PAIR_VALUE, operation->value.data, range_size(operation->value)) ||
      buffer_end(buffer, whole)) {
    return NULL;
  }
  const uint8_t *copy = arena_copy(&place->tree->arena, buffer->bytes, buffer->size);
  if (!copy) return NULL;
  *pair = (Range){copy, copy + buffer->size};
  return pair;
}

int apply_set(Operation *operation, Place *place) {
  uint32_t number = MESSAGES[place->message].attributes;
  Cursor cursor = cursor_at(place);
  Attribute found;
  int got, count = 0, failed = 0;
  const Range *pair = pair_to_set(operation, place);
  Buffer *buffer = tree_scratch(place->tree);
  if (!pair) return -1;
  while (!failed && (got = next_attribute(&cursor, operation->keys, 1, &found)) > 0) {
    if (operation->mode == MODE_INSERT) return 0;
    if (count++) {
      failed = change_field(&cursor, &found.field, NULL, 0);
    } else if (found.is_plain) {
      failed = change_field(&cursor, &found.field, pair->data, range_size(*pair));
    } else {
      failed = encode_pair_with_value(buffer, number, found.pair, operation->value) ||
               change_attribute(&cursor, &found, buffer);
    }
  }
  if (failed || got < 0) return -1;
  if (count || operation->mode == MODE_UPDATE) return count > 0;
  return change_append(place, number, pair->data, range_size(*pair)) ? -1 : 1;
}

int apply_delete(Operation *operation, Place *place) {
  Cursor cursor = cursor_at(place);
  Attribute found;
  int got, count = 0;
  while ((got = next_attribute(&cursor, operation->keys, operation->key_count, &found)) > 0) {
    if (change_field(&cursor, &found.field, NULL, 0)) return -1;
    count++;
  }
  return got < 0 ? -1 : count;
}

int apply_rename(Operation *operation, Place *place) {
  uint32_t number = MESSAGES[place->message].attributes;
  Buffer *buffer = tree_scratch(place->tree);
  Cursor cursor = cursor_at(place);
  Attribute found;
  int got = next_attribute(&cursor, operation->keys, 1, &found);
  if (got <= 0) return got;
  if (encode_pair_with_key(buffer, number, found.pair, operation->value)) return -1;
  size_t size = buffer->size;
  const uint8_t *renamed = arena_copy(&place->tree->arena, buffer->bytes, size);
  if (!renamed) return -1;
  const Range both[] = {operation->keys[0], operation->value};
  int is_first = 1;
  cursor = cursor_at(place);
  while ((got = next_attribute(&cursor, both, 2, &found)) > 0) {
    /* The new name's first place is taken, be it that of the old name or of one overwritten. */
    if (change_field(&cursor, &found.field, is_first ? renamed : NULL, is_first ? size : 0)) {
      return -1;
    }
    is_first = 0;
  }
  return got < 0 ? -1 : 1;
}

/* The bytes to hash of a value: of a text its UTF-8, of a number its 8 bytes, little endian, as
 * the Collector's attributes processor takes them; *holder* keeps them alive. */
static int bytes_to_hash(Operation *operation, PyObject *value, Range *bytes, uint64_t *number,
                         PyObject **holder) {
  *bytes = (Range){(uint8_t *)number, (uint8_t *)number};
  if (value == Py_None) return 0;
  if (PyUnicode_Check(value)) return text_range(value, bytes);
  if (PyBool_Check(value)) {
    *number = value == Py_True;
    bytes->end += 1;
    return 0;
  }
  if (PyLong_Check(value) || PyFloat_Check(value)) {
    double wide = PyFloat_Check(value) ? PyFloat_AsDouble(value) : 0;
    if (PyFloat_Check(value)) {
      memcpy(number, &wide, 8);
    } else {
      *number = (uint64_t)PyLong_AsLongLong(value);
    }
    bytes->end += 8;
    return 0;
  }
  if (!PyBytes_Check(value)) {
    *holder = PyObject_CallFunctionObjArgs(operation->function, value, NULL);
    if (!*holder) return -1;
    value = *holder;
  }
  bytes->data = (const uint8_t *)PyBytes_AsString(value);
  if (!bytes->data) return -1;
  bytes->end = bytes->data + PyBytes_Size(value);
  return 0;
}

/* An AnyValue that holds the value's hash in hexadecimal; of an empty value, an empty text. */
static int encode_hash(Operation *operation, PyObject *value, Buffer *buffer) {
  Range bytes;
  uint64_t number = 0;
  PyObject *holder = NULL;
  char hex[64];
  int failed = bytes_to_hash(operation, value, &bytes, &number, &holder);
  if (!failed) {
    int is_empty = bytes.data == bytes.end;
    Sha256 sha;
    sha256_start(&sha);
    sha256_add(&sha, operation->salt.data, range_size(operation->salt));
    sha256_add(&sha, bytes.data, range_size(bytes));
    sha256_hex(&sha, hex);
    failed = buffer_bytes(buffer, ANY_STRING, hex, is_empty ? 0 : sizeof hex);
  }
  Py_XDECREF(holder);
  return failed;
}

/* An AnyValue that holds what the function makes of the value. */
static int encode_mapped(Operation *operation, PyObject *value, Buffer *buffer) {
  PyObject *mapped = PyObject_CallFunctionObjArgs(operation->function, value, NULL);
  int failed = !mapped || encode_any(buffer, mapped, 0);
  Py_XDECREF(mapped);
  return failed;
}

typedef int (*EncodeNew)(Operation *operation, PyObject *value, Buffer *buffer);

/* Gives every attribute with one of the keys the value that *encode* makes of its old one. */
static int replace_values(Operation *operation, Place *place, EncodeNew encode) {
  uint32_t number = MESSAGES[place->message].attributes;
  Buffer pair = {0}, any = {0};
  Cursor cursor = cursor_at(place);
  Attribute found;
  int got = 0, count = 0, failed = 0;
  while (!failed &&
         (got = next_attribute(&cursor, operation->keys, operation->key_count, &found)) > 0) {
    PyObject *value = decode_pair_value(found.pair);
    any.size = pair.size = 0;
    failed = !value || encode(operation, value, &any) ||
             encode_pair_with_value(&pair, number, found.pair,
                                    (Range){any.bytes, any.bytes + any.size}) ||
             change_attribute(&cursor, &found, &pair);
    Py_XDECREF(value);
    count++;
  }
  buffer_free(&pair);
  buffer_free(&any);
  return failed || got < 0 ? -1 : count;
}

int apply_hash(Operation *operation, Place *place) {
  return replace_values(operation, place, encode_hash);
}

int apply_map(Operation *operation, Place *place) {
  return replace_values(operation, place, encode_mapped);
}
