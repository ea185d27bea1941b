/* Bytes being written: fields are encoded here before they go into a batch. */
#include "buffer.h"

#include "wire.h"

int buffer_room(Buffer *buffer, size_t size) {
  if (buffer->capacity - buffer->size >= size) return 0;
  size_t capacity = buffer->capacity ? buffer->capacity * 2 : 256;
  while (capacity - buffer->size < size) {
    if (capacity > SIZE_MAX / 2) break;
    capacity *= 2;
  }
  uint8_t *bytes = capacity - buffer->size >= size ? realloc(buffer->bytes, capacity) : NULL;
  if (!bytes) {
    PyErr_NoMemory();
    return -1;
  }
  buffer->bytes = bytes;
  buffer->capacity = capacity;
  return 0;
}

int buffer_put(Buffer *buffer, const void *bytes, size_t size) {
  if (buffer_room(buffer, size)) return -1;
  if (size) memcpy(buffer->bytes + buffer->size, bytes, size);
  buffer->size += size;
  return 0;
}

int buffer_varint(Buffer *buffer, uint64_t value) {
  if (buffer_room(buffer, 10)) return -1;
  buffer->size = (size_t)(write_varint(buffer->bytes + buffer->size, value) - buffer->bytes);
  return 0;
}

int buffer_tag(Buffer *buffer, uint32_t number, uint32_t wire) {
  return buffer_varint(buffer, (uint64_t)number << 3 | wire);
}

int buffer_bytes(Buffer *buffer, uint32_t number, const void *bytes, size_t size) {
  return buffer_tag(buffer, number, WIRE_BYTES) || buffer_varint(buffer, size) ||
                 buffer_put(buffer, bytes, size)
             ? -1
             : 0;
}

int buffer_begin(Buffer *buffer, uint32_t number, size_t *mark) {
  if (buffer_tag(buffer, number, WIRE_BYTES) || buffer_room(buffer, 1)) return -1;
  buffer->size++; /* the length of most; buffer_end makes room for a longer one */
  *mark = buffer->size;
  return 0;
}

int buffer_end(Buffer *buffer, size_t mark) {
  size_t size = buffer->size - mark;
  size_t more = varint_size(size) - 1;
  if (more) {
    if (buffer_room(buffer, more)) return -1;
    memmove(buffer->bytes + mark + more, buffer->bytes + mark, size);
    buffer->size += more;
  }
  write_varint(buffer->bytes + mark - 1, size);
  return 0;
}
