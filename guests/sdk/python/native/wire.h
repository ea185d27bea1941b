/* Reading protobuf's wire format: bytes in, fields out, nothing kept.
 *
 * A reader gets where it is and where the bytes end, and returns where to go on, or NULL when the
 * bytes are not what a protobuf decoder takes.
 */
#ifndef OTELWASM_WIRE_H
#define OTELWASM_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LIKELY(condition) __builtin_expect(!!(condition), 1)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are read as the wire has them");

static inline uint16_t load16(const uint8_t *p) {
  uint16_t number;
  memcpy(&number, p, 2);
  return number;
}

static inline uint32_t load32(const uint8_t *p) {
  uint32_t number;
  memcpy(&number, p, 4);
  return number;
}

static inline uint64_t load64(const uint8_t *p) {
  uint64_t number;
  memcpy(&number, p, 8);
  return number;
}

/* Whether they are the same bytes. Keys are short, and memcmp is not the compiler's own in a guest. */
static inline int same_bytes(const uint8_t *one, const uint8_t *other, size_t size) {
  if (size < 8) {
    for (size_t i = 0; i < size; i++) {
      if (one[i] != other[i]) return 0;
    }
    return 1;
  }
  for (size_t i = 0; i < size - 8; i += 8) {
    if (load64(one + i) != load64(other + i)) return 0;
  }
  return load64(one + size - 8) == load64(other + size - 8);
}

/* How deep messages and groups may nest below a payload. protobuf's decoder takes one more, which
 * its encoder then refuses; in a guest that refusal would be a trap. */
enum { MAX_DEPTH = 99 };

enum WireType {
  WIRE_VARINT = 0,
  WIRE_64BIT = 1,
  WIRE_BYTES = 2,
  WIRE_GROUP = 3,
  WIRE_GROUP_END = 4,
  WIRE_32BIT = 5,
};

typedef struct {
  const uint8_t *start; /* of the tag */
  const uint8_t *data;  /* of the value: behind the length, where there is one */
  const uint8_t *end;
  uint64_t value; /* of a varint or a fixed number */
  uint32_t number;
  uint32_t wire;
} WireField;

const uint8_t *read_long_varint(const uint8_t *p, const uint8_t *end, uint64_t *value);
const uint8_t *read_long_tag(const uint8_t *p, const uint8_t *end, uint32_t *tag);
const uint8_t *read_long_length(const uint8_t *p, const uint8_t *end, size_t *length);
const uint8_t *skip_group(const uint8_t *p, const uint8_t *end, uint32_t number, int depth);

/* Nearly every tag, length and number has one byte; the functions for longer ones are apart. */
static inline const uint8_t *read_varint(const uint8_t *p, const uint8_t *end, uint64_t *value) {
  if (LIKELY(p < end && *p < 0x80)) {
    *value = *p;
    return p + 1;
  }
  return read_long_varint(p, end, value);
}

static inline const uint8_t *read_tag(const uint8_t *p, const uint8_t *end, uint32_t *tag) {
  if (LIKELY(p < end && *p < 0x80)) {
    *tag = *p;
    return *p >= 8 ? p + 1 : NULL; /* field 0 is none */
  }
  return read_long_tag(p, end, tag);
}

/* The length of what follows, which is all there. */
static inline const uint8_t *read_length(const uint8_t *p, const uint8_t *end, size_t *length) {
  if (LIKELY(p < end && *p < 0x80)) {
    *length = *p++;
    return *length <= (size_t)(end - p) ? p : NULL;
  }
  return read_long_length(p, end, length);
}

/* Passes over the value behind a tag. */
static inline const uint8_t *skip_value(const uint8_t *p, const uint8_t *end, uint32_t tag,
                                        int depth) {
  uint64_t value;
  size_t length;
  switch (tag & 7) {
    case WIRE_VARINT:
      return read_varint(p, end, &value);
    case WIRE_64BIT:
      return end - p >= 8 ? p + 8 : NULL;
    case WIRE_BYTES:
      p = read_length(p, end, &length);
      return p ? p + length : NULL;
    case WIRE_GROUP:
      return skip_group(p, end, tag >> 3, depth - 1);
    case WIRE_32BIT:
      return end - p >= 4 ? p + 4 : NULL;
  }
  return NULL;
}

/* How many bytes the field at p has, if its tag and its length or number have one byte each, as
 * nearly all have; 0 for any other, and for what is cut off. *head*: the first four bytes. */
static inline size_t short_field_size(uint32_t head, size_t left) {
  size_t size;
  if ((head & 0xf8) == 0) return 0; /* field 0 is none */
  if ((head & 0x8087) == WIRE_BYTES) {
    size = 2 + (head >> 8 & 0x7f);
  } else if ((head & 0x87) == WIRE_64BIT) {
    size = 9;
  } else if ((head & 0x8087) == WIRE_VARINT) {
    size = 2;
  } else {
    return 0;
  }
  return size <= left ? size : 0;
}

/* One field of a message. */
static inline const uint8_t *read_field(const uint8_t *p, const uint8_t *end, WireField *field) {
  uint32_t tag;
  size_t length;
  field->start = p;
  p = read_tag(p, end, &tag);
  if (!p) return NULL;
  field->number = tag >> 3;
  field->wire = tag & 7;
  field->data = p;
  switch (field->wire) {
    case WIRE_BYTES:
      p = read_length(p, end, &length);
      if (!p) return NULL;
      field->data = p;
      return field->end = p + length;
    case WIRE_VARINT:
      return field->end = read_varint(p, end, &field->value);
    case WIRE_64BIT:
      if (end - p < 8) return NULL;
      field->value = load64(p);
      return field->end = p + 8;
    case WIRE_32BIT:
      if (end - p < 4) return NULL;
      field->value = load32(p);
      return field->end = p + 4;
    default:
      return field->end = skip_value(p, end, tag, MAX_DEPTH);
  }
}

#endif
