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

/* One field of a message. */
static inline const uint8_t *read_field(const uint8_t *p, const uint8_t *end, WireField *field) {
  uint32_t tag, value;
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
      memcpy(&field->value, p, 8);
      return field->end = p + 8;
    case WIRE_32BIT:
      if (end - p < 4) return NULL;
      memcpy(&value, p, 4);
      field->value = value;
      return field->end = p + 4;
    default:
      return field->end = skip_value(p, end, tag, MAX_DEPTH);
  }
}

#endif
