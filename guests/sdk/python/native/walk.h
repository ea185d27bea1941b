/* Going through a batch to every message of a level: all spans, all scopes, all data points. */
#ifndef OTELWASM_WALK_H
#define OTELWASM_WALK_H

#include "tree.h"

/* OTLP's longest way: request, resource, scope, metric, kind, data point, exemplar. */
enum { WALK_DEPTH = 8 };

typedef struct {
  Cursor cursor;
  uint32_t singles; /* the fields that hold one message and are still to be looked at */
} Frame;

typedef struct {
  const Level *level; /* or NULL: only the messages in one field of the first place */
  uint32_t number;
  int depth;
  Frame frames[WALK_DEPTH];
} Walk;

/* The level of that name, or of a batch's own items for "items"; NULL with ValueError where there
 * can be none in that message. */
const Level *level_named(const char *name, const Place *place);

/* Whether the walk is about this message, and whether it leads to more. */
static inline int walk_has(const Walk *walk, const Place *place) {
  return !walk->level || (walk->level->targets >> place->message & 1);
}
static inline int walk_descends(const Walk *walk, const Place *place) {
  return walk->level && walk->level->descend[place->message] != 0;
}

/* Goes into a message: what walk_next gives are then those in it, before its siblings. The place
 * must stay where it is while the walk is in it. */
void walk_into(Walk *walk, Place *place);
/* 1 with the place of the next message of the level, or of one on the way to some (the caller
 * then goes into it, or passes it by); 0 at the end; -1 with ValueError. A resource or a scope
 * is given even where it is absent. */
int walk_next(Walk *walk, Place *place);

/* What is done with each message of a level: 0, or -1 with an exception. *is_gone*, set to 1, says
 * that what is in the message need not be gone to. */
typedef int (*Visit)(void *task, Place *place, int *is_gone);

/* Goes to every message of the level: 0, or -1 with an exception. */
int walk_all(Place *root, const Level *level, Visit visit, void *task);

#endif
