/* Going through a batch to every message of a level: all spans, all scopes, all data points. */
#include "walk.h"

#include "text.h"

static const Level *refuse_level(const char *name, const Place *place) {
  PyObject *names = text_listed(NULL, "items");
  for (int i = 0; names && i < LEVEL_COUNT; i++) {
    if (LEVELS[i].descend[place->message]) names = text_listed(names, LEVELS[i].name);
  }
  if (names) {
    PyErr_Format(PyExc_ValueError, "nothing in OTLP is called '%s'; here there are %U", name, names);
  }
  Py_XDECREF(names);
  return NULL;
}

const Level *level_named(const char *name, const Place *place) {
  const Level *level = NULL;
  for (int i = 0; i < LEVEL_COUNT; i++) {
    if (!strcmp(name, LEVELS[i].name)) level = &LEVELS[i];
  }
  for (int signal = 0; !strcmp(name, "items") && signal < SIGNAL_COUNT; signal++) {
    if (ROOTS[signal] == place->tree->root.message) level = &LEVELS[ITEMS[signal]];
  }
  if (!level) return refuse_level(name, place);
  if (!level->descend[place->message]) {
    PyErr_Format(PyExc_ValueError, "%s has no %s", MESSAGES[place->message].name, name);
    level = NULL;
  }
  return level;
}

void walk_into(Walk *walk, Place *place) {
  assert(walk->depth < WALK_DEPTH);
  uint32_t singles = MESSAGES[place->message].singles;
  walk->frames[walk->depth++] = (Frame){
      .cursor = cursor_at(place),
      .singles = walk->level ? walk->level->descend[place->message] & singles : 0,
  };
}

int walk_next(Walk *walk, Place *place) {
  while (walk->depth) {
    Frame *frame = &walk->frames[walk->depth - 1];
    Place *parent = frame->cursor.place;
    const Message *message = &MESSAGES[parent->message];
    if (frame->singles) {
      int number = __builtin_ctz(frame->singles);
      frame->singles &= frame->singles - 1;
      if (place_single(parent, field_of(message, (uint64_t)number), place)) return -1;
      if (walk_has(walk, place) || !place_is_absent(place)) return 1;
      continue;
    }
    WireField wire;
    int got = cursor_next(&frame->cursor, &wire);
    if (got < 0) return -1;
    if (!got) {
      walk->depth--;
      continue;
    }
    uint32_t wanted = walk->level ? walk->level->descend[parent->message] : 1u << walk->number;
    if (wire.wire != WIRE_BYTES || wire.number > 31 || !(wanted >> wire.number & 1)) continue;
    const Field *field = field_of(message, wire.number);
    if (!field->repeated) continue; /* was among the singles */
    *place = place_child(&frame->cursor, field, &wire);
    return 1;
  }
  return 0;
}

int walk_all(Place *root, const Level *level, Visit visit, void *task) {
  Walk walk = {.level = level};
  Place places[WALK_DEPTH], place;
  int got;
  walk_into(&walk, root);
  while ((got = walk_next(&walk, &place)) > 0) {
    int is_gone = 0;
    if (walk_has(&walk, &place) && visit(task, &place, &is_gone)) return -1;
    if (!is_gone && walk_descends(&walk, &place)) {
      Place *kept = &places[walk.depth];
      *kept = place;
      walk_into(&walk, kept);
    }
  }
  return got;
}
