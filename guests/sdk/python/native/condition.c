/* Dropping what meets conditions.
 *
 * Conditions are a dict: where to look, and what has to be there. Where: a field ("name"), an
 * attribute ("attributes.http.route": all behind "attributes." is its key), the same of a message
 * in this one ("status.code") or around it ("resource.attributes.service.name", "metric.name").
 * What: a value to equal; a tuple, set or range to be in; a function to say yes; or ... to be
 * there at all.
 */
#include "condition.h"

#include "operations.h"
#include "view.h"

enum { LONGEST_PATH = 4 };

typedef struct {
  Range steps[LONGEST_PATH]; /* the names before the last */
  int step_count;
  Range name;       /* of the field, or the attribute's key */
  int is_attribute;
  PyObject *wanted;
} Condition;

static int is_named(Range name, const char *text) {
  size_t size = strlen(text);
  return range_size(name) == size && !memcmp(name.data, text, size);
}

static int parse_path(PyObject *path, Condition *condition) {
  Range rest;
  if (!PyUnicode_Check(path)) {
    PyErr_Format(PyExc_TypeError, "a condition names a field by a str, not %R", path);
    return -1;
  }
  if (text_range(path, &rest)) return -1;
  const uint8_t *dot;
  while ((dot = memchr(rest.data, '.', range_size(rest)))) {
    Range step = {rest.data, dot};
    rest.data = dot + 1;
    if (is_named(step, "attributes")) {
      condition->is_attribute = 1;
      break;
    }
    if (condition->step_count == LONGEST_PATH) {
      PyErr_Format(PyExc_ValueError, "a condition's path is too long: %R", path);
      return -1;
    }
    condition->steps[condition->step_count++] = step;
  }
  condition->name = rest;
  return 0;
}

static const Field *field_named(const Place *place, Range name) {
  const Message *message = &MESSAGES[place->message];
  for (int i = 0; i < message->field_count; i++) {
    if (is_named(name, message->fields[i].name)) return &message->fields[i];
  }
  return NULL;
}

static int is_single(const Field *field) {
  return field && field->kind == KIND_MESSAGE && !field->repeated && field->message != ANY_VALUE;
}

/* "metric" means the message Metric around a data point. */
static int is_message_named(const Place *place, Range name) {
  const char *message = MESSAGES[place->message].name;
  return range_size(name) == strlen(message) && name.data[0] == (message[0] | 0x20) &&
         !memcmp(name.data + 1, message + 1, range_size(name) - 1);
}

/* The place that a step leads to, in *held* or around; 0 where there is none, -1 with an error. */
static int follow(Place **place, Range name, Place *held) {
  const Field *field = field_named(*place, name);
  for (Place *around = (*place)->parent; !is_single(field) && around; around = around->parent) {
    if (is_message_named(around, name)) {
      *place = around;
      return 1;
    }
    field = field_named(around, name);
    if (is_single(field)) *place = around;
  }
  if (!is_single(field)) return 0;
  if (place_single(*place, field, held)) return -1;
  *place = held;
  return 1;
}

static int equals(PyObject *value, PyObject *wanted) {
  if (PyBool_Check(value) != PyBool_Check(wanted)) return 0; /* True is no 1 */
  return PyObject_RichCompareBool(value, wanted, Py_EQ);
}

static int is_plain_value(PyObject *wanted) {
  return wanted == Py_None || PyUnicode_Check(wanted) || PyLong_Check(wanted) ||
         PyFloat_Check(wanted) || PyBytes_Check(wanted) || PyList_Check(wanted) ||
         PyDict_Check(wanted);
}

/* Whether a value is what is wanted; takes the reference to it, or NULL with an exception. */
static int value_meets(PyObject *value, PyObject *wanted) {
  int result;
  if (!value) return -1;
  if (is_plain_value(wanted)) {
    result = equals(value, wanted);
  } else if (PyCallable_Check(wanted)) {
    PyObject *answer = PyObject_CallFunctionObjArgs(wanted, value, NULL);
    result = answer ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
  } else {
    result = PySequence_Contains(wanted, value);
  }
  Py_DECREF(value);
  return result;
}

static int attribute_meets(Place *place, const Condition *condition) {
  Cursor cursor = cursor_at(place);
  Attribute found;
  int got = next_attribute(&cursor, &condition->name, 1, &found);
  if (got <= 0 || condition->wanted == Py_Ellipsis) return got;
  Range text, wanted;
  if (PyUnicode_Check(condition->wanted) && pair_text(found.pair, &text)) {
    /* Most conditions compare texts, for which the bytes are enough. */
    return text_range(condition->wanted, &wanted) ? -1 : range_equals(text, wanted);
  }
  return value_meets(decode_pair_value(found.pair), condition->wanted);
}

static int field_meets(Place *place, const Condition *condition) {
  const Field *field = field_named(place, condition->name);
  if (!field) return 0; /* one kind of data point has it, another has not */
  if (condition->wanted != Py_Ellipsis) {
    return value_meets(place_value(place, field), condition->wanted);
  }
  Cursor cursor = cursor_at(place);
  WireField wire;
  int got;
  while ((got = cursor_next(&cursor, &wire)) > 0 && wire.number != field->number) continue;
  return got;
}

static int condition_met(Place *place, const Condition *condition) {
  Place held[LONGEST_PATH];
  for (int i = 0; i < condition->step_count; i++) {
    int got = follow(&place, condition->steps[i], &held[i]);
    if (got <= 0) return got;
  }
  return condition->is_attribute ? attribute_meets(place, condition)
                                 : field_meets(place, condition);
}

/* Whether a condition can ever be met in that level: its first name is one of its messages' or of
 * those around. A misspelt one would silently keep or drop all. */
static int check_names(const Condition *condition, const Level *level) {
  Range first = condition->step_count ? condition->steps[0] : condition->name;
  int is_known = condition->is_attribute && !condition->step_count;
  for (int i = 0; !is_known && i < MESSAGE_COUNT; i++) {
    Place place = {.message = (uint8_t)i};
    int is_target = (int)(level->targets >> i & 1), is_around = level->descend[i] != 0;
    if (is_target) is_known = field_named(&place, first) != NULL;
    if (is_around && condition->step_count) {
      is_known = is_known || is_single(field_named(&place, first)) ||
                 is_message_named(&place, first);
    }
  }
  if (is_known) return 0;
  PyObject *name = PyUnicode_FromStringAndSize((const char *)first.data, first.end - first.data);
  if (name) PyErr_Format(PyExc_ValueError, "%s have no %R", level->name, name);
  Py_XDECREF(name);
  return -1;
}

static Py_ssize_t read_conditions(PyObject *dict, const Level *level, Condition *conditions) {
  PyObject *path, *wanted;
  Py_ssize_t position = 0, count = 0;
  while (PyDict_Next(dict, &position, &path, &wanted)) {
    Condition *condition = &conditions[count];
    condition->wanted = wanted;
    if (parse_path(path, condition) || check_names(condition, level)) return -1;
    count++;
  }
  return count;
}

static int all_met(Place *place, const Condition *conditions, Py_ssize_t count) {
  for (Py_ssize_t i = 0; i < count; i++) {
    int met = condition_met(place, &conditions[i]);
    if (met <= 0) return met;
  }
  return 1;
}

static Py_ssize_t drop_from(Place *root, const Level *level, const Condition *conditions,
                            Py_ssize_t count, int drops) {
  Walk walk = {.level = level};
  Place places[WALK_DEPTH], place;
  Py_ssize_t dropped = 0;
  int got;
  walk_into(&walk, root);
  while ((got = walk_next(&walk, &place)) > 0) {
    if (walk_has(&walk, &place)) {
      int met = all_met(&place, conditions, count);
      if (met < 0) return -1;
      if (met == drops) {
        if (change_drop(&place)) return -1;
        dropped++;
        continue;
      }
    }
    if (walk_descends(&walk, &place)) {
      Place *kept = &places[walk.depth];
      *kept = place;
      walk_into(&walk, kept);
    }
  }
  return got < 0 ? -1 : dropped;
}

Py_ssize_t drop_where(Place *root, const Level *level, PyObject *conditions, int drops) {
  if (!PyDict_Check(conditions) || !PyDict_Size(conditions)) {
    PyErr_Format(PyExc_TypeError, "conditions are a dict with at least one, not %R", conditions);
    return -1;
  }
  /* A copy: a condition's function could change the dict. */
  PyObject *copy = PyDict_New();
  Condition *all = calloc((size_t)PyDict_Size(conditions), sizeof *all);
  Py_ssize_t count = -1, dropped = -1;
  if (!all) PyErr_NoMemory();
  if (copy && all && !PyDict_Merge(copy, conditions, 1)) count = read_conditions(copy, level, all);
  if (count >= 0) dropped = drop_from(root, level, all, count, drops);
  free(all);
  Py_XDECREF(copy);
  return dropped;
}
