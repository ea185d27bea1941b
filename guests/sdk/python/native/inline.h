/* Putting texts in where a profile's messages refer to the table of texts. */
#ifndef OTELWASM_INLINE_H
#define OTELWASM_INLINE_H

#include "tree.h"

/* Does it to the attributes of resources and scopes, and to the values of the table of attributes,
 * so that they read as in other signals. The batch counts as unchanged. 0, or -1 with an
 * exception. */
int inline_texts(Place *root);

#endif
