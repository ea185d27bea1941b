/* The rare parts of reading the wire format: long varints and groups. */
#include "wire.h"

const uint8_t *read_long_varint(const uint8_t *p, const uint8_t *end, uint64_t *value) {
  uint64_t result = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (p >= end) return NULL;
    uint8_t byte = *p++;
    /* Of the tenth byte only one bit counts, as in protobuf's decoder. */
    result |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) {
      *value = result;
      return p;
    }
  }
  return NULL;
}

/* Tags and lengths: at most five bytes, as protobuf's decoder reads them. */
const uint8_t *read_long_tag(const uint8_t *p, const uint8_t *end, uint32_t *tag) {
  uint64_t value;
  const uint8_t *next = read_long_varint(p, end, &value);
  if (!next || next - p > 5 || value > UINT32_MAX || value < 8) return NULL;
  *tag = (uint32_t)value;
  return next;
}

const uint8_t *read_long_length(const uint8_t *p, const uint8_t *end, size_t *length) {
  uint64_t value;
  const uint8_t *next = read_long_varint(p, end, &value);
  if (!next || next - p > 5 || value > (uint64_t)(end - next)) return NULL;
  *length = (size_t)value;
  return next;
}

/* OTLP has no groups, but an unknown field may be one: everything up to its end tag. */
const uint8_t *skip_group(const uint8_t *p, const uint8_t *end, uint32_t number, int depth) {
  if (depth < 0) return NULL;
  while (p < end) {
    uint32_t tag;
    p = read_tag(p, end, &tag);
    if (!p) return NULL;
    if ((tag & 7) == WIRE_GROUP_END) return tag >> 3 == number ? p : NULL;
    p = skip_value(p, end, tag, depth);
    if (!p) return NULL;
  }
  return NULL;
}
