/* Making the new payload out of the old one and its changes; tree.h has the picture. */
#include "tree.h"

/* protobuf's own limit for a message. */
enum { LARGEST_PAYLOAD = INT32_MAX };

/* Whether a message still has an occurrence of a field; -1 for malformed bytes. */
static int has_left(Tree *tree, Node *node, uint32_t number) {
  Place place = {.tree = tree, .data = node->data, .end = node->end, .node = node};
  Cursor cursor = cursor_at(&place);
  WireField wire;
  int got;
  while ((got = cursor_next(&cursor, &wire)) > 0) {
    const Change *change = cursor.change ? &node->changes[cursor.change - 1] : NULL;
    int is_pruned = change && change->child && change->child->is_pruned;
    if (wire.number == number && wire.wire == WIRE_BYTES && !is_pruned) return 1;
  }
  return got;
}

static size_t header_size(const Change *change) {
  return varint_size((uint64_t)change->number << 3) + varint_size(change->child->size);
}

/* Finds out how long the edited messages have become, from the inside out, and which containers
 * are left out because what they held was dropped. */
static int measure(Tree *tree, Node *node) {
  uint64_t size = (uint64_t)(node->end - node->data);
  for (size_t i = 0; i < node->count; i++) {
    const Change *change = &node->changes[i];
    size -= change->removed;
    if (!change->child) {
      size += change->size;
      continue;
    }
    if (measure(tree, change->child)) return -1;
    if (change->child->is_pruned) {
      node->lost = (uint8_t)change->number;
    } else {
      size += header_size(change) + change->child->size;
    }
  }
  if (size > LARGEST_PAYLOAD) {
    PyErr_SetString(PyExc_ValueError, "the changed batch is too large: a payload has 2 GiB at most");
    return -1;
  }
  node->size = (size_t)size;
  if (!node->lost || !MESSAGES[node->message].is_container) return 0;
  int left = has_left(tree, node, node->lost);
  node->is_pruned = left == 0;
  return left < 0 ? -1 : 0;
}

static uint8_t *write_node(const Node *node, uint8_t *out) {
  const uint8_t *p = node->data;
  for (size_t i = 0; i < node->count; i++) {
    const Change *change = &node->changes[i];
    out = write_bytes(out, p, (size_t)(change->at - p));
    p = change->at + change->removed;
    if (!change->child) {
      out = write_bytes(out, change->bytes, change->size);
    } else if (!change->child->is_pruned) {
      out = write_varint(out, (uint64_t)change->number << 3 | WIRE_BYTES);
      out = write_varint(out, change->child->size);
      out = write_node(change->child, out);
    }
  }
  return write_bytes(out, p, (size_t)(node->end - p));
}

int node_put(Tree *tree, Node *node, uint32_t number, Buffer *buffer) {
  if (measure(tree, node)) return -1;
  if (node->is_pruned) return 0;
  if (buffer_tag(buffer, number, WIRE_BYTES) || buffer_varint(buffer, node->size) ||
      buffer_room(buffer, node->size)) {
    return -1;
  }
  write_node(node, buffer->bytes + buffer->size);
  buffer->size += node->size;
  return 0;
}

PyObject *node_render(Tree *tree, Node *node) {
  if (measure(tree, node)) return NULL;
  PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)node->size);
  if (bytes) write_node(node, (uint8_t *)PyBytes_AsString(bytes));
  return bytes;
}
