/* Python objects that show parts of a batch, and change them. */
#ifndef OTELWASM_VIEW_H
#define OTELWASM_VIEW_H

#include "value.h"
#include "walk.h"

/* What a batch and a view of a message in it have in common. */
typedef struct {
  PyObject_HEAD
  Place place;
} Holder;

typedef struct {
  Holder holder;
  PyObject *keeper; /* the view or batch that the message is in; keeps the place's parent alive */
  const uint8_t *found; /* the attribute that was read last, good while nothing is changed: */
  size_t found_edits;   /* the tree's edit_count then */
} View;

typedef struct {
  Holder holder;
  Tree tree;
  PyObject *payload;  /* as it came */
  PyObject *rendered; /* with all changes made until rendered_changes */
  size_t rendered_changes;
  int signal;
} Batch;

/* A new view of a place in *keeper*, of the Python type for its message. */
PyObject *view_new(const Place *place, PyObject *keeper);
/* The attributes of a message, as a mapping. */
PyObject *attributes_new(PyObject *view);
int attributes_replace(PyObject *view, PyObject *values);
/* What is in a message: all of a level, or of one field; with the attribute *having*, if given. */
PyObject *views_new(PyObject *holder, const Level *level, uint32_t number, PyObject *having);

/* The value of a field as a view shows it, and setting it (or, with NULL, clearing it). */
PyObject *field_get(PyObject *view, const Field *field);
int field_set(PyObject *view, const Field *field, PyObject *value);
/* The value of a field that is no message but an attribute's value. */
PyObject *place_value(Place *place, const Field *field);
/* The message's own bytes, with all changes. */
PyObject *place_bytes(Place *place);

int view_types_add(PyObject *module);
int views_types_add(PyObject *module);
int attributes_type_add(PyObject *module);
int batch_type_add(PyObject *module);

/* view.each(on="items", having=None), of a batch and of any message in it. */
PyObject *holder_each(PyObject *holder, PyObject *arguments, PyObject *keywords);

#endif
