/* A batch's bytes and what is to be changed in them.
 *
 *     payload   |tag len| resource_spans: |tag len| scope_spans: |tag len| span |tag len| span ...
 *                 node ───────────────────── node ──────────────────┬── node: 2 changes
 *                                                                   └── change: span left out
 *
 * Nothing is decoded into objects. Whoever looks for something walks over the bytes, field by
 * field, with a Cursor. Whoever edits records a Change in the Node of the message concerned: at
 * this place take so many bytes out and put these in. A message gets a node when something in it
 * is first changed, and then stands in its parent's changes itself, so the nodes are a thin tree
 * of the edited parts alone. A Cursor sees a message as changed.
 *
 * node_render() then makes the new payload in two passes: measure every edited message, from the
 * inside out (a length prefix may need more bytes than before), and copy, splicing. What was not
 * edited, unknown fields included, is copied byte for byte.
 */
#ifndef OTELWASM_TREE_H
#define OTELWASM_TREE_H

#include "arena.h"
#include "buffer.h"
#include "schema.h"
#include "wire.h"

typedef struct Node Node;

typedef struct {
  const uint8_t *at;     /* where in the message's bytes; its end for what is added */
  size_t removed;        /* how many bytes there are taken out: always whole fields */
  const uint8_t *bytes;  /* the fields put in, as encoded, or */
  size_t size;
  Node *child;           /* the edited message put in */
  uint32_t number;       /* the field concerned */
} Change;

struct Node {
  const uint8_t *data; /* the message's bytes, before any change */
  const uint8_t *end;
  Change *changes; /* by place */
  size_t count;
  size_t capacity;
  size_t size;       /* as measured for rendering */
  uint8_t message;   /* its type: a place in MESSAGES */
  uint8_t lost;      /* the field of which occurrences were dropped, or 0 */
  uint8_t is_pruned; /* left out, as nothing of that field is left: set by measuring */
  Change first;      /* where changes are as long as there is one only */
};

typedef struct {
  Arena arena;
  Node root;
  Buffer scratch;    /* for encoding */
  size_t node_count; /* so that a place knows when to look for its node again */
  size_t edit_count; /* so that a rendered payload is known to be stale */
  size_t single_count; /* so that where a single message is, or is not, is known to be stale */
} Tree;

/* Where a message is: found by walking, good as long as its tree and its parent are. */
typedef struct Place Place;
struct Place {
  Tree *tree;
  Place *parent;       /* NULL for the payload itself */
  const uint8_t *at;   /* of its field, tag and all, in the parent's bytes */
  const uint8_t *data; /* of its content; an absent message has at == data == end */
  const uint8_t *end;
  Node *node;          /* once known */
  size_t node_count;   /* the tree's, when node was looked for */
  Place *single;       /* the single message that was last looked for in this one, if that took */
  size_t single_count; /* long; and the tree's then */
  uint8_t number;      /* of its field in the parent */
  uint8_t message;     /* its type: a place in MESSAGES */
};

/* Reads a message's fields as they are with all changes. */
typedef struct {
  Place *place;
  const uint8_t *p;
  size_t index;         /* of the next change */
  const uint8_t *inner; /* within the bytes of a change */
  const uint8_t *inner_end;
  size_t change; /* the last field's, plus one; 0 for an original field */
} Cursor;

void tree_start(Tree *tree, const uint8_t *payload, size_t size, uint8_t message);
void tree_free(Tree *tree);
Place tree_place(Tree *tree);
/* A buffer to encode into, empty; for code that lets no other code run meanwhile. */
static inline Buffer *tree_scratch(Tree *tree) {
  tree->scratch.size = 0;
  return &tree->scratch;
}

/* The payload, or another edited message, with all changes, as a bytes object. */
PyObject *node_render(Tree *tree, Node *node);
/* The same as a field of that number, behind what the buffer holds; nothing, where it is pruned. */
int node_put(Tree *tree, Node *node, uint32_t number, Buffer *buffer);
/* Raises that, and where, the payload is malformed. NULL. */
void *tree_malformed(Tree *tree);

/* The place's node where there is one; made where there is none (NULL with MemoryError). */
Node *place_find_node(Place *place);
Node *place_node(Place *place);
/* The place of a message field that a cursor has just read. */
Place place_child(Cursor *cursor, const Field *field, const WireField *wire);
/* The place of a field that holds one message, and may be absent; -1 for malformed bytes. */
int place_single(Place *parent, const Field *field, Place *child);

/* Whether a place is that of a message which is not there (yet). */
static inline int place_is_absent(const Place *place) {
  return place->at == place->data && !place->node && place->parent;
}

Cursor cursor_at(Place *place);
/* 1 with the next field, 0 at the end, -1 with ValueError for malformed bytes. */
int cursor_next_slow(Cursor *cursor, WireField *field);

/* Records changes; 0, or -1 with MemoryError. *bytes* must live as long as the tree. */
int change_field(Cursor *cursor, const WireField *field, const uint8_t *bytes, size_t size);
int change_append(Place *place, uint32_t number, const uint8_t *bytes, size_t size);
/* The same where the field is a message, whose content the bytes are: others can change it then. */
int change_message(Cursor *cursor, const WireField *field, const uint8_t *content, size_t size);
int change_append_message(Place *place, uint32_t number, const uint8_t *content, size_t size);
/* Takes a message out; a container that loses its last one this way goes, too. */
int change_drop(Place *place);

static inline int cursor_next(Cursor *cursor, WireField *field) {
  const uint8_t *p = cursor->p;
  const Place *place = cursor->place;
  if (LIKELY(!place->node && place->node_count == place->tree->node_count && p < place->end)) {
    const uint8_t *next = read_field(p, place->end, field);
    if (LIKELY(next != NULL)) {
      cursor->p = next;
      return 1;
    }
  }
  return cursor_next_slow(cursor, field);
}

#endif
