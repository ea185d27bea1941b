/* The way from a message to a field or an attribute in it, or around it. */
#ifndef OTELWASM_PATH_H
#define OTELWASM_PATH_H

#include "value.h"
#include "walk.h"

enum { LONGEST_PATH = 4 };

/* "name", "status.code", "attributes.http.route": all behind "attributes." is the key; of what is
 * around, "resource.attributes.service.name", "metric.name". */
typedef struct {
  Range steps[LONGEST_PATH]; /* the names before the last */
  int step_count;
  Range name; /* of the field, or the attribute's key */
  int is_attribute;
} Path;

/* Reads a path for the messages of a level, good as long as the str is; -1 with an exception, for
 * one that leads nowhere, too: a misspelt one would silently find nothing. */
int path_read(PyObject *text, const Level *level, Path *path);

/* Where a path ends: the message, and what of it. */
typedef struct {
  Place *place;
  Place held[LONGEST_PATH];
  const Field *field; /* or, for an attribute, */
  Range pair;         /* its KeyValue */
} Found;

/* 1 where there is such a field or attribute, 0 where there is none, -1 with an exception. */
int path_follow(const Path *path, Place *place, Found *found);
/* What is there, as a Python value; NULL with an exception. */
PyObject *found_value(Found *found);

#endif
