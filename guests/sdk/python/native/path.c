/* The way from a message to a field or an attribute in it, or around it. */
#include "path.h"

#include "operations.h"
#include "text.h"
#include "view.h"

static int is_named(Range name, const char *text) {
  size_t size = strlen(text);
  return range_size(name) == size && !memcmp(name.data, text, size);
}

static const Field *field_named(uint8_t place, Range name) {
  const Message *message = &MESSAGES[place];
  for (int i = 0; i < message->field_count; i++) {
    if (is_named(name, message->fields[i].name)) return &message->fields[i];
  }
  return NULL;
}

static int is_single(const Field *field) {
  return field && field->kind == KIND_MESSAGE && !field->repeated && field->message != ANY_VALUE;
}

/* "metric" means the message Metric around a data point. */
static int is_message_named(uint8_t place, Range name) {
  const char *message = MESSAGES[place].name;
  return range_size(name) == strlen(message) && name.data[0] == (message[0] | 0x20) &&
         !memcmp(name.data + 1, message + 1, range_size(name) - 1);
}

static int split_at_dots(PyObject *text, Range rest, Path *path) {
  const uint8_t *dot;
  while ((dot = memchr(rest.data, '.', range_size(rest)))) {
    Range step = {rest.data, dot};
    rest.data = dot + 1;
    if (is_named(step, "attributes")) {
      path->is_attribute = 1;
      break;
    }
    if (path->step_count == LONGEST_PATH) {
      PyErr_Format(PyExc_ValueError, "a path is too long: %R", text);
      return -1;
    }
    path->steps[path->step_count++] = step;
  }
  path->name = rest;
  return 0;
}

/* Whether its first name is that of something in the level's messages, or around them. */
static int leads_somewhere(const Path *path, const Level *level) {
  Range first = path->step_count ? path->steps[0] : path->name;
  for (int i = 0; i < MESSAGE_COUNT; i++) {
    uint8_t place = (uint8_t)i;
    int is_target = (int)(level->targets >> i & 1), is_around = level->descend[i] != 0;
    if (is_target && path->is_attribute && !path->step_count) {
      if (MESSAGES[i].attributes) return 1;
    } else if (is_target && field_named(place, first)) {
      return 1;
    }
    if (is_around && path->step_count &&
        (is_single(field_named(place, first)) || is_message_named(place, first))) {
      return 1;
    }
  }
  return 0;
}

static int is_new(const char *field, const Level *level, int before) {
  Range name = {(const uint8_t *)field, (const uint8_t *)field + strlen(field)};
  for (int i = 0; i < before; i++) {
    if ((level->targets >> i & 1) && field_named((uint8_t)i, name)) return 0;
  }
  return 1;
}

/* What a path may begin with, for who began it otherwise. */
static PyObject *names_within(const Level *level) {
  PyObject *names = NULL;
  for (int i = 0; i < MESSAGE_COUNT; i++) {
    const Message *message = &MESSAGES[i];
    if (!(level->targets >> i & 1)) continue;
    for (int j = 0; j < message->field_count; j++) {
      const Field *field = &message->fields[j];
      if (field->number == message->attributes || !is_new(field->name, level, i)) continue;
      if (!(names = text_listed(names, field->name))) return NULL;
    }
  }
  if (strcmp(level->name, "resources")) names = text_listed(names, "resource.attributes.KEY");
  return names ? text_listed(names, "attributes.KEY") : NULL;
}

int path_read(PyObject *text, const Level *level, Path *path) {
  Range whole;
  *path = (Path){0};
  if (!PyUnicode_Check(text)) {
    PyErr_Format(PyExc_TypeError, "a field or an attribute is named by a str, not %R", text);
    return -1;
  }
  if (text_range(text, &whole) || split_at_dots(text, whole, path)) return -1;
  if (leads_somewhere(path, level)) return 0;
  if (path->is_attribute && !path->step_count) {
    PyErr_Format(PyExc_ValueError, "%s have no attributes of their own", level->name);
    return -1;
  }
  Range first = path->step_count ? path->steps[0] : path->name;
  PyObject *name = PyUnicode_FromStringAndSize((const char *)first.data, first.end - first.data);
  PyObject *names = names_within(level);
  if (name && names) {
    PyErr_Format(PyExc_ValueError, "%s have no %R; they have %U", level->name, name, names);
  }
  Py_XDECREF(name);
  Py_XDECREF(names);
  return -1;
}

/* The place that a step leads to, in *held* or around; 0 where there is none, -1 with an error. */
static int follow_step(Place **place, Range name, Place *held) {
  const Field *field = field_named((*place)->message, name);
  for (Place *around = (*place)->parent; !is_single(field) && around; around = around->parent) {
    if (is_message_named(around->message, name)) {
      *place = around;
      return 1;
    }
    field = field_named(around->message, name);
    if (is_single(field)) *place = around;
  }
  if (!is_single(field)) return 0;
  if (place_single(*place, field, held)) return -1;
  *place = held;
  return 1;
}

int path_follow(const Path *path, Place *place, Found *found) {
  for (int i = 0; i < path->step_count; i++) {
    int got = follow_step(&place, path->steps[i], &found->held[i]);
    if (got <= 0) return got;
  }
  found->place = place;
  found->field = NULL;
  if (path->is_attribute) {
    Cursor cursor = cursor_at(place);
    Attribute attribute;
    int got = next_attribute(&cursor, &path->name, 1, &attribute);
    found->pair = attribute.pair;
    return got;
  }
  found->field = field_named(place->message, path->name);
  return found->field != NULL; /* one kind of data point has it, another has not */
}

PyObject *found_value(Found *found) {
  return found->field ? place_value(found->place, found->field) : decode_pair_value(found->pair);
}
