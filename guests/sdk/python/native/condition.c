/* Dropping what meets conditions, and reading one value of each message.
 *
 * Conditions are a dict: where to look (path.h says how), and what has to be there: a value to
 * equal; a tuple, set or range to be in; a bound (bound.c); a pattern that matches all of it; a
 * function to say yes; or ... to be there at all.
 */
#include "condition.h"

#include "bound.h"
#include "operations.h"
#include "path.h"
#include "view.h"

typedef struct {
  Path path;
  PyObject *wanted;
  PyObject *matches; /* of a pattern: its fullmatch */
} Condition;

static int equals(PyObject *value, PyObject *wanted) {
  if (PyBool_Check(value) != PyBool_Check(wanted)) return 0; /* True is no 1 */
  return PyObject_RichCompareBool(value, wanted, Py_EQ);
}

static int is_plain_value(PyObject *wanted) {
  return wanted == Py_None || PyUnicode_Check(wanted) || PyLong_Check(wanted) ||
         PyFloat_Check(wanted) || PyBytes_Check(wanted) || PyList_Check(wanted) ||
         PyDict_Check(wanted);
}

static int is_true(PyObject *function, PyObject *value) {
  PyObject *answer = PyObject_CallFunctionObjArgs(function, value, NULL);
  int result = answer ? PyObject_IsTrue(answer) : -1;
  Py_XDECREF(answer);
  return result;
}

PyObject *text_of;

/* Anything but a text is matched by how the Collector writes it: "5.." is for 503, too. */
static int pattern_matches(PyObject *matches, PyObject *value) {
  if (PyUnicode_Check(value)) return is_true(matches, value);
  if (value == Py_None) return 0;
  PyObject *text = text_of ? PyObject_CallFunctionObjArgs(text_of, value, NULL) : PyObject_Str(value);
  int result = text ? is_true(matches, text) : -1;
  Py_XDECREF(text);
  return result;
}

/* Whether a value is what is wanted; takes the reference to it, or NULL with an exception. */
static int value_meets(PyObject *value, const Condition *condition) {
  PyObject *wanted = condition->wanted;
  int result;
  if (!value) return -1;
  if (is_plain_value(wanted)) {
    result = equals(value, wanted);
  } else if (condition->matches) {
    result = pattern_matches(condition->matches, value);
  } else if (bound_check(wanted)) {
    result = bound_holds(wanted, value);
  } else if (PyCallable_Check(wanted)) {
    result = is_true(wanted, value);
  } else {
    result = PySequence_Contains(wanted, value);
  }
  Py_DECREF(value);
  return result;
}

/* Whether anything of a field was sent. */
static int field_is_there(Found *found) {
  Cursor cursor = cursor_at(found->place);
  WireField wire;
  int got;
  while ((got = cursor_next(&cursor, &wire)) > 0 && wire.number != found->field->number) continue;
  return got;
}

static int condition_met(Place *place, const Condition *condition) {
  Found found;
  int got = path_follow(&condition->path, place, &found);
  if (got <= 0) return got;
  if (condition->wanted == Py_Ellipsis) return found.field ? field_is_there(&found) : 1;
  Range text, wanted;
  if (!found.field && PyUnicode_Check(condition->wanted) && pair_text(found.pair, &text)) {
    /* Most conditions compare texts, for which the bytes are enough. */
    return text_range(condition->wanted, &wanted) ? -1 : range_equals(text, wanted);
  }
  return value_meets(found_value(&found), condition);
}

static int read_wanted(PyObject *wanted, Condition *condition) {
  condition->wanted = wanted;
  if (is_plain_value(wanted) || !PyObject_HasAttrString(wanted, "fullmatch")) return 0;
  condition->matches = PyObject_GetAttrString(wanted, "fullmatch");
  return condition->matches ? 0 : -1;
}

int meets(PyObject *value, PyObject *wanted) {
  Condition condition = {.wanted = wanted};
  if (wanted == Py_Ellipsis) return 1;
  int result = read_wanted(wanted, &condition) ? -1 : value_meets(Py_NewRef(value), &condition);
  Py_XDECREF(condition.matches);
  return result;
}

static int all_met(Place *place, const Condition *conditions, Py_ssize_t count) {
  for (Py_ssize_t i = 0; i < count; i++) {
    int met = condition_met(place, &conditions[i]);
    if (met <= 0) return met;
  }
  return 1;
}

typedef struct {
  const Condition *conditions;
  Py_ssize_t count;
  int drops; /* what meets them, not what doesn't */
  Py_ssize_t dropped;
} Dropping;

static int drop_one(void *task, Place *place, int *is_gone) {
  Dropping *dropping = task;
  int met = all_met(place, dropping->conditions, dropping->count);
  if (met < 0) return -1;
  *is_gone = met == dropping->drops;
  dropping->dropped += *is_gone;
  return *is_gone ? change_drop(place) : 0;
}

Py_ssize_t drop_where(Place *root, const Level *level, PyObject *conditions, int drops) {
  PyObject *name, *wanted;
  Py_ssize_t position = 0;
  if (!PyDict_Check(conditions) || !PyDict_Size(conditions)) {
    PyErr_Format(PyExc_TypeError, "conditions are a dict with at least one, not %R", conditions);
    return -1;
  }
  /* A copy: a condition's function could change the dict. */
  PyObject *copy = PyDict_New();
  Condition *all = calloc((size_t)PyDict_Size(conditions), sizeof *all);
  Dropping dropping = {.conditions = all, .drops = drops};
  if (!all) PyErr_NoMemory();
  int failed = !copy || !all || PyDict_Merge(copy, conditions, 1);
  while (!failed && PyDict_Next(copy, &position, &name, &wanted)) {
    Condition *condition = &all[dropping.count++];
    failed = path_read(name, level, &condition->path) || read_wanted(wanted, condition);
  }
  failed = failed || walk_all(root, level, drop_one, &dropping);
  for (Py_ssize_t i = 0; i < dropping.count; i++) Py_XDECREF(all[i].matches);
  free(all);
  Py_XDECREF(copy);
  return failed ? -1 : dropping.dropped;
}

typedef struct {
  Path path;
  PyObject *list;
} Reading;

static int read_one(void *task, Place *place, int *is_gone) {
  (void)is_gone;
  Reading *reading = task;
  Found found;
  int got = path_follow(&reading->path, place, &found);
  PyObject *value = got > 0 ? found_value(&found) : got < 0 ? NULL : Py_NewRef(Py_None);
  int result = value ? PyList_Append(reading->list, value) : -1;
  Py_XDECREF(value);
  return result;
}

PyObject *values_of(Place *root, const Level *level, PyObject *name) {
  Reading reading;
  if (path_read(name, level, &reading.path)) return NULL;
  reading.list = PyList_New(0);
  if (reading.list && walk_all(root, level, read_one, &reading)) Py_CLEAR(reading.list);
  return reading.list;
}
