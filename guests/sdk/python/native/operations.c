/* Changing attributes of a whole batch at once: one walk, one pass over each message's fields.
 *
 * OTLP's keys are unique. Where a sender repeats one anyway, the first is what counts, and
 * setting or renaming leaves no other behind.
 */
#include "operations.h"

#include "sha256.h"

static int run_one(void *task, Place *place, int *is_gone) {
  (void)is_gone;
  Operation *operation = task;
  int changed = operation->apply(operation, place);
  operation->changed += changed;
  return changed < 0 ? -1 : 0;
}

Py_ssize_t operation_run(Operation *operation, Place *root, const Level *level) {
  return walk_all(root, level, run_one, operation) ? -1 : operation->changed;
}

/* Passes over unchanged fields that are short and not asked for: nearly all. Stops at the first that
 * cursor_next has to look at. */
static const uint8_t *skip_others(const uint8_t *p, const uint8_t *end, uint8_t tag,
                                  const Range *keys, size_t key_count) {
  const uint32_t pair_head = (PAIR_KEY << 3 | WIRE_BYTES) << 16 | (uint32_t)tag;
  while (end - p >= 4) {
    uint32_t head = load32(p);
    size_t size = short_field_size(head, (size_t)(end - p));
    if (!size) return p;
    if ((head & 0xff) == tag) {
      /* Tag and length of the pair; tag and length of its key, the key; tag and length of its
       * value, the value; and nothing else. */
      size_t key_size = head >> 24, value = 4 + key_size;
      if ((head & 0xff80ff) != pair_head || value + 2 > size) return p;
      uint16_t value_head = load16(p + value);
      if ((value_head & 0x80ff) != (PAIR_VALUE << 3 | WIRE_BYTES)) return p;
      if (value + 2 + (value_head >> 8) != size) return p;
      for (size_t i = 0; i < key_count; i++) {
        if (key_size == range_size(keys[i]) && same_bytes(p + 4, keys[i].data, key_size)) return p;
      }
    }
    p += size;
  }
  return p;
}

/* Where the fields from the cursor on stop being as they came. */
static const uint8_t *unchanged_end(Cursor *cursor) {
  Place *place = cursor->place;
  const Node *node = place_find_node(place);
  if (!node) return place->end;
  if (cursor->inner < cursor->inner_end) return cursor->p;
  while (cursor->index < node->count && node->changes[cursor->index].at < cursor->p) {
    cursor->index++;
  }
  return cursor->index < node->count ? node->changes[cursor->index].at : place->end;
}

int next_attribute(Cursor *cursor, const Range *keys, size_t key_count, Attribute *attribute) {
  Place *place = cursor->place;
  uint32_t number = MESSAGES[place->message].attributes;
  uint8_t tag = (uint8_t)(number << 3 | WIRE_BYTES);
  WireField *field = &attribute->field;
  for (;;) {
    cursor->p = skip_others(cursor->p, unchanged_end(cursor), tag, keys, key_count);
    int got = cursor_next(cursor, field);
    if (got <= 0) return got;
    if (field->number != number || field->wire != WIRE_BYTES) continue;
    Range key;
    attribute->pair = (Range){field->data, field->end};
    attribute->is_plain = pair_key(attribute->pair, &key);
    if (attribute->is_plain < 0) {
      tree_malformed(place->tree);
      return -1;
    }
    for (size_t i = 0; i < key_count; i++) {
      if (range_equals(key, keys[i])) return 1;
    }
  }
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

/* An AnyValue that holds the hash in hexadecimal; of nothing, an empty text. */
static int put_hash(Operation *operation, Range bytes, Buffer *buffer) {
  char hex[64];
  Sha256 sha;
  if (bytes.data == bytes.end) return buffer_bytes(buffer, ANY_STRING, "", 0);
  sha256_start(&sha);
  sha256_add(&sha, operation->salt.data, range_size(operation->salt));
  sha256_add(&sha, bytes.data, range_size(bytes));
  sha256_hex(&sha, hex);
  return buffer_bytes(buffer, ANY_STRING, hex, sizeof hex);
}

static int encode_hash(Operation *operation, Range pair, Buffer *buffer) {
  Range bytes;
  if (pair_text(pair, &bytes)) return put_hash(operation, bytes, buffer);
  uint64_t number = 0;
  PyObject *holder = NULL, *value = decode_pair_value(pair);
  int failed = !value || bytes_to_hash(operation, value, &bytes, &number, &holder) ||
               put_hash(operation, bytes, buffer);
  Py_XDECREF(holder);
  Py_XDECREF(value);
  return failed;
}

/* An AnyValue that holds what the function makes of the value. */
static int encode_mapped(Operation *operation, Range pair, Buffer *buffer) {
  PyObject *value = decode_pair_value(pair);
  PyObject *mapped = value ? PyObject_CallFunctionObjArgs(operation->function, value, NULL) : NULL;
  int failed = !mapped || encode_any(buffer, mapped, 0);
  Py_XDECREF(mapped);
  Py_XDECREF(value);
  return failed;
}

typedef int (*EncodeNew)(Operation *operation, Range pair, Buffer *buffer);

/* Gives every attribute with one of the keys the value that *encode* makes of its pair. */
static int replace_values(Operation *operation, Place *place, EncodeNew encode) {
  uint32_t number = MESSAGES[place->message].attributes;
  Buffer *any = &operation->any;
  Cursor cursor = cursor_at(place);
  Attribute found;
  int got, count = 0;
  while ((got = next_attribute(&cursor, operation->keys, operation->key_count, &found)) > 0) {
    any->size = 0;
    if (encode(operation, found.pair, any)) return -1;
    Buffer *pair = tree_scratch(place->tree);
    Range value = {any->bytes, any->bytes + any->size};
    if (encode_pair_with_value(pair, number, found.pair, value) ||
        change_attribute(&cursor, &found, pair)) {
      return -1;
    }
    count++;
  }
  return got < 0 ? -1 : count;
}

int apply_hash(Operation *operation, Place *place) {
  return replace_values(operation, place, encode_hash);
}

int apply_map(Operation *operation, Place *place) {
  return replace_values(operation, place, encode_mapped);
}
