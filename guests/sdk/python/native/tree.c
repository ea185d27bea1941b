/* Recording changes in a batch's bytes and finding one's way in them; tree.h has the picture. */
#include "tree.h"

#include "check.h"

void tree_start(Tree *tree, const uint8_t *payload, size_t size, uint8_t message) {
  *tree = (Tree){.node_count = 1};
  tree->root = (Node){.data = payload, .end = payload + size, .message = message};
}

void tree_free(Tree *tree) {
  buffer_free(&tree->scratch);
  arena_free(&tree->arena);
}

Place tree_place(Tree *tree) {
  Node *root = &tree->root;
  return (Place){
      .tree = tree,
      .at = root->data,
      .data = root->data,
      .end = root->end,
      .node = root,
      .message = root->message,
  };
}

void *tree_malformed(Tree *tree) {
  const Node *root = &tree->root;
  Refusal refusal;
  Tally none = {0};
  if (PyErr_Occurred()) return NULL;
  if (check_message(root->data, root->end, &MESSAGES[root->message], MAX_DEPTH, &refusal, &none)) {
    malformed_raise("malformed payload: a field is broken");
  } else {
    refusal_raise(&refusal, root->data, root->message);
  }
  return NULL;
}

/* ---- nodes and their changes ------------------------------------------------------------ */

/* The place of the first change at *at* or behind it. */
static size_t first_change(const Node *node, const uint8_t *at) {
  size_t low = 0, high = node->count;
  if (high && node->changes[high - 1].at < at) return high; /* edits mostly come in order */
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (node->changes[middle].at < at) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/* What was recorded about the field that starts there, or about an absent one of that number. */
static Change *find_change(const Node *node, const uint8_t *at, uint32_t number) {
  for (size_t i = first_change(node, at); i < node->count && node->changes[i].at == at; i++) {
    Change *change = &node->changes[i];
    if (change->removed || (change->child && change->number == number)) return change;
  }
  return NULL;
}

static int insert_change(Tree *tree, Node *node, size_t index, Change change) {
  if (node->count == node->capacity) {
    size_t capacity = node->capacity ? node->capacity * 4 : 1;
    Change *changes = &node->first;
    if (capacity > 1) changes = arena_take(&tree->arena, capacity * sizeof(Change));
    if (!changes) return -1;
    if (node->count) memcpy(changes, node->changes, node->count * sizeof(Change));
    node->changes = changes;
    node->capacity = capacity;
  }
  Change *slot = node->changes + index;
  if (index < node->count) memmove(slot + 1, slot, (node->count - index) * sizeof(Change));
  *slot = change;
  node->count++;
  return 0;
}

/* Behind whatever is at the same place already. */
static int add_change(Tree *tree, Node *node, Change change) {
  size_t index = first_change(node, change.at);
  while (index < node->count && node->changes[index].at == change.at) index++;
  return insert_change(tree, node, index, change);
}

static Node *new_node(Tree *tree, const uint8_t *data, const uint8_t *end, uint8_t message) {
  Node *node = arena_take(&tree->arena, sizeof(Node));
  if (!node) return NULL;
  *node = (Node){.data = data, .end = end, .message = message};
  tree->node_count++;
  return node;
}

Node *place_find_node(Place *place) {
  if (place->node || place->node_count == place->tree->node_count) return place->node;
  place->node_count = place->tree->node_count;
  Node *parent = place_find_node(place->parent);
  Change *change = parent ? find_change(parent, place->at, place->number) : NULL;
  if (change) place->node = change->child;
  return place->node;
}

Node *place_node(Place *place) {
  if (place_find_node(place)) return place->node;
  Node *parent = place_node(place->parent);
  if (!parent) return NULL;
  Node *node = new_node(place->tree, place->data, place->end, place->message);
  if (!node) return NULL;
  if (place_is_absent(place)) place->tree->single_count++;
  /* A message that was taken out meanwhile: edits to it go nowhere. */
  if (!find_change(parent, place->at, place->number)) {
    Change change = {
        .at = place->at,
        .removed = (size_t)(place->end - place->at),
        .child = node,
        .number = place->number,
    };
    if (add_change(place->tree, parent, change)) return NULL;
  }
  return place->node = node;
}

/* ---- reading as changed ----------------------------------------------------------------- */

Cursor cursor_at(Place *place) {
  return (Cursor){.place = place, .p = place->data};
}

int cursor_next_slow(Cursor *cursor, WireField *field) {
  Place *place = cursor->place;
  Node *node = place_find_node(place);
  for (;;) {
    if (cursor->inner < cursor->inner_end) {
      cursor->inner = read_field(cursor->inner, cursor->inner_end, field);
      assert(cursor->inner); /* our own encoding */
      return 1;
    }
    size_t count = node ? node->count : 0;
    while (cursor->index < count && node->changes[cursor->index].at < cursor->p) cursor->index++;
    if (cursor->index < count && node->changes[cursor->index].at == cursor->p) {
      const Change *change = &node->changes[cursor->index++];
      cursor->change = cursor->index;
      cursor->p += change->removed;
      if (change->child) {
        *field = (WireField){
            .start = change->at,
            .data = change->child->data,
            .end = change->child->end,
            .number = change->number,
            .wire = WIRE_BYTES,
        };
        return 1;
      }
      cursor->inner = change->bytes;
      cursor->inner_end = change->bytes + change->size;
      continue;
    }
    cursor->change = 0;
    if (cursor->p >= place->end) return 0;
    cursor->p = read_field(cursor->p, place->end, field);
    if (cursor->p) return 1;
    cursor->p = place->end;
    tree_malformed(place->tree);
    return -1;
  }
}

Place place_child(Cursor *cursor, const Field *field, const WireField *wire) {
  return (Place){
      .tree = cursor->place->tree,
      .parent = cursor->place,
      .at = wire->start,
      .data = wire->data,
      .end = wire->end,
      .node = cursor->change ? cursor->place->node->changes[cursor->change - 1].child : NULL,
      .node_count = cursor->place->tree->node_count, /* an unchanged field has no node */
      .number = field->number,
      .message = field->message,
  };
}

/* Makes one message of several occurrences of a field, from the one at *child* on, as protobuf
 * does: their contents joined. */
static int merge_occurrences(Place *parent, const Field *field, Place *child) {
  Tree *tree = parent->tree;
  Node *node = place_node(parent);
  Buffer *joined = tree_scratch(tree);
  const uint8_t *first = child->at;
  if (!node) return -1;
  Cursor cursor = {.place = parent, .p = first, .index = first_change(node, first)};
  WireField wire;
  int got = 0, failed = 0;
  while (!failed && (got = cursor_next(&cursor, &wire)) > 0) {
    if (wire.number != field->number || wire.wire != WIRE_BYTES) continue;
    failed = buffer_put(joined, wire.data, (size_t)(wire.end - wire.data)) ||
             change_field(&cursor, &wire, NULL, 0);
  }
  const uint8_t *content = got || failed ? NULL : arena_copy(&tree->arena, joined->bytes,
                                                             joined->size);
  Node *merged = content ? new_node(tree, content, content + joined->size, field->message) : NULL;
  if (!merged) return -1;
  Change *change = &node->changes[first_change(node, first)];
  change->child = merged;
  change->number = field->number;
  *child = (Place){
      .tree = tree,
      .parent = parent,
      .at = first,
      .data = merged->data,
      .end = merged->end,
      .node = merged,
      .number = field->number,
      .message = field->message,
  };
  return 0;
}

/* Remembers what was found: each span may be asked for its scope, and looking for that means to
 * pass over all spans. */
static void remember_single(Place *parent, const Place *child) {
  if (!parent->single) parent->single = arena_take(&parent->tree->arena, sizeof(Place));
  if (!parent->single) {
    PyErr_Clear(); /* then it is looked for again */
    return;
  }
  *parent->single = *child;
  parent->single_count = parent->tree->single_count;
}

int place_single(Place *parent, const Field *field, Place *child) {
  enum { LONG_SEARCH = 16 };
  const Message *message = &MESSAGES[parent->message];
  Tree *tree = parent->tree;
  Cursor cursor = cursor_at(parent);
  WireField wire;
  int got, count = 0, passed = 0;
  if (parent->single && parent->single->number == field->number &&
      parent->single_count == tree->single_count) {
    *child = *parent->single;
    child->parent = parent;
    return 0;
  }
  while ((got = cursor_next(&cursor, &wire)) > 0) {
    passed++;
    if (wire.wire != WIRE_BYTES) continue;
    if (wire.number == field->number) {
      if (!count++) *child = place_child(&cursor, field, &wire);
    } else if (field->oneof) {
      const Field *other = field_of(message, wire.number);
      if (other && other->oneof == field->oneof) count = 0; /* it takes this one's place */
    }
  }
  if (got < 0) return -1;
  if (count == 0) {
    *child = (Place){
        .tree = tree,
        .parent = parent,
        .at = parent->end,
        .data = parent->end,
        .end = parent->end,
        .node_count = tree->node_count,
        .number = field->number,
        .message = field->message,
    };
  }
  if (count > 1) {
    size_t edit_count = tree->edit_count;
    if (merge_occurrences(parent, field, child)) return -1;
    tree->edit_count = edit_count; /* the batch says the same as before */
  }
  if (passed > LONG_SEARCH) remember_single(parent, child);
  return 0;
}

/* ---- changing --------------------------------------------------------------------------- */

int change_field(Cursor *cursor, const WireField *field, const uint8_t *bytes, size_t size) {
  Tree *tree = cursor->place->tree;
  Node *node = place_node(cursor->place);
  if (!node) return -1;
  tree->edit_count++;
  if (field->number < 32 && MESSAGES[node->message].singles >> field->number & 1) {
    tree->single_count++;
  }
  if (cursor->change) {
    Change *change = &node->changes[cursor->change - 1];
    change->bytes = bytes;
    change->size = size;
    change->child = NULL;
    cursor->inner = cursor->inner_end; /* a list that was set as one is replaced as one */
    return 0;
  }
  Change change = {
      .at = field->start,
      .removed = (size_t)(field->end - field->start),
      .bytes = bytes,
      .size = size,
      .number = field->number,
  };
  size_t index = first_change(node, field->start);
  cursor->index = index + 1;
  if (index < node->count && node->changes[index].at == change.at) {
    node->changes[index] = change; /* changed by someone else since the cursor read it */
    return 0;
  }
  return insert_change(tree, node, index, change);
}

int change_append(Place *place, uint32_t number, const uint8_t *bytes, size_t size) {
  Node *node = place_node(place);
  Change change = {.at = place->end, .bytes = bytes, .size = size, .number = number};
  if (!node) return -1;
  place->tree->edit_count++;
  return insert_change(place->tree, node, node->count, change);
}

int change_message(Cursor *cursor, const WireField *field, const uint8_t *content, size_t size) {
  const Message *holder = &MESSAGES[cursor->place->message];
  Node *child = new_node(cursor->place->tree, content, content + size,
                         field_of(holder, field->number)->message);
  if (!child || change_field(cursor, field, NULL, 0)) return -1;
  size_t index = (cursor->change ? cursor->change : cursor->index) - 1;
  cursor->place->node->changes[index].child = child;
  return 0;
}

int change_append_message(Place *place, uint32_t number, const uint8_t *content, size_t size) {
  const Field *field = field_of(&MESSAGES[place->message], number);
  Node *child = new_node(place->tree, content, content + size, field->message);
  if (!child || change_append(place, number, NULL, 0)) return -1;
  place->node->changes[place->node->count - 1].child = child;
  return 0;
}

/* The change that put a message in, or keeps its changes. */
static Change *change_of(const Node *parent, const Node *child, const uint8_t *at) {
  for (size_t i = first_change(parent, at); i < parent->count && parent->changes[i].at == at; i++) {
    if (parent->changes[i].child == child) return &parent->changes[i];
  }
  return NULL;
}

int change_drop(Place *place) {
  Place *parent = place->parent;
  if (!parent) return 0;
  const Message *holder = &MESSAGES[parent->message];
  const Field *field = field_of(holder, place->number);
  /* A resource or a scope goes with all that it describes. */
  if (holder->is_container && !field->repeated) return change_drop(parent);
  Node *node = place_node(parent);
  if (!node) return -1;
  const Node *own = place_find_node(place);
  Change *change = own ? change_of(node, own, place->at)
                       : find_change(node, place->at, place->number);
  if (own && !change) return 0; /* gone already */
  place->tree->edit_count++;
  place->tree->single_count += !field->repeated;
  node->lost = place->number;
  if (change) {
    change->child = NULL;
    change->size = 0;
    return 0;
  }
  Change removal = {
      .at = place->at,
      .removed = (size_t)(place->end - place->at),
      .number = place->number,
  };
  return removal.removed ? add_change(place->tree, node, removal) : 0;
}
