/* Python's texts of those on the wire.
 *
 * Telemetry says the same few texts over and over: keys, names, methods, routes. The last ones that
 * came twice are kept, so that they are not made anew; a str that is the same object is also found
 * in a dict at once.
 */
#include "text.h"

#include "wire.h"

enum { KEPT = 256, LONGEST = 64 };

typedef struct {
  PyObject *text; /* NULL: none yet */
  const uint8_t *bytes;
  size_t size;
  uint64_t seen; /* the hash of the last text that would have come here */
} Kept;

static Kept kept[KEPT];

static uint64_t hash_of(const uint8_t *data, size_t size) {
  uint64_t hash = size;
  if (size >= 8) {
    for (size_t i = 0; i < size - 8; i += 8) {
      hash = (hash ^ load64(data + i)) * 0x9e3779b97f4a7c15u;
      hash ^= hash >> 29;
    }
    hash ^= load64(data + size - 8);
  } else {
    for (size_t i = 0; i < size; i++) hash = hash << 8 | data[i];
  }
  hash *= 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 32;
}

PyObject *text_decode(const uint8_t *data, const uint8_t *end) {
  size_t size = (size_t)(end - data);
  if (size > LONGEST) return PyUnicode_DecodeUTF8((const char *)data, end - data, NULL);
  uint64_t hash = hash_of(data, size);
  Kept *slot = &kept[hash % KEPT];
  if (slot->text && slot->size == size && same_bytes(slot->bytes, data, size)) {
    return Py_NewRef(slot->text);
  }
  PyObject *text = PyUnicode_DecodeUTF8((const char *)data, end - data, NULL);
  if (text && slot->seen == hash) {
    Py_ssize_t length;
    const char *bytes = PyUnicode_AsUTF8AndSize(text, &length);
    if (!bytes) {
      Py_DECREF(text);
      return NULL;
    }
    Py_XDECREF(slot->text);
    *slot = (Kept){Py_NewRef(text), (const uint8_t *)bytes, (size_t)length, hash};
  }
  slot->seen = hash;
  return text;
}

PyObject *text_listed(PyObject *names, const char *name) {
  PyObject *longer = names ? PyUnicode_FromFormat("%U, %s", names, name)
                           : PyUnicode_FromString(name);
  Py_XDECREF(names);
  return longer;
}
