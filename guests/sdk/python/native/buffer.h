/* Bytes being written: fields are encoded here before they go into a batch. */
#ifndef OTELWASM_BUFFER_H
#define OTELWASM_BUFFER_H

#include <Python.h>

typedef struct {
  uint8_t *bytes;
  size_t size;
  size_t capacity;
} Buffer;

/* All return 0, or -1 with MemoryError set. */
int buffer_room(Buffer *buffer, size_t size);
int buffer_put(Buffer *buffer, const void *bytes, size_t size);
int buffer_varint(Buffer *buffer, uint64_t value);
int buffer_tag(Buffer *buffer, uint32_t number, uint32_t wire);
/* Tag, length and content of a field of bytes. */
int buffer_bytes(Buffer *buffer, uint32_t number, const void *bytes, size_t size);

/* A message whose length is known once it is written: begin, write the content, end. */
int buffer_begin(Buffer *buffer, uint32_t number, size_t *mark);
int buffer_end(Buffer *buffer, size_t mark);

static inline void buffer_free(Buffer *buffer) {
  free(buffer->bytes);
  *buffer = (Buffer){0};
}

static inline size_t varint_size(uint64_t value) {
  /* One byte for each seven bits: 9/64 is just above 1/7 for up to 64 bits. */
  return (size_t)((63 - __builtin_clzll(value | 1)) * 9 + 73) / 64;
}

static inline uint8_t *write_varint(uint8_t *p, uint64_t value) {
  while (value >= 0x80) {
    *p++ = (uint8_t)(value | 0x80);
    value >>= 7;
  }
  *p++ = (uint8_t)value;
  return p;
}

/* Most pieces are short, and WebAssembly's own copying is costly to begin. */
static inline uint8_t *write_bytes(uint8_t *out, const uint8_t *bytes, size_t size) {
  if (size > 32) {
    memcpy(out, bytes, size);
  } else if (size >= 8) {
    for (size_t i = 0; i < size - 8; i += 8) memcpy(out + i, bytes + i, 8);
    memcpy(out + size - 8, bytes + size - 8, 8);
  } else {
    for (size_t i = 0; i < size; i++) out[i] = bytes[i];
  }
  return out + size;
}

/* A field of bytes with a number below 16. */
static inline uint8_t *write_field(uint8_t *p, uint32_t number, const uint8_t *bytes, size_t size) {
  *p++ = (uint8_t)(number << 3 | 2);
  return write_bytes(write_varint(p, size), bytes, size);
}

#endif
