/* Memory that a batch's changes live in, freed all at once with the batch. */
#include "arena.h"

enum { FIRST_CHUNK = 4096, LARGEST_CHUNK = 1 << 20 };

struct ArenaChunk {
  ArenaChunk *previous;
  size_t size;
};

void *arena_more(Arena *arena, size_t size) {
  size_t usual = arena->chunk ? arena->chunk->size * 2 : FIRST_CHUNK;
  if (usual > LARGEST_CHUNK) usual = LARGEST_CHUNK;
  if (usual < size) usual = size;
  ArenaChunk *chunk = usual <= SIZE_MAX - 16 ? malloc(16 + usual) : NULL;
  if (!chunk) {
    PyErr_NoMemory();
    return NULL;
  }
  chunk->previous = arena->chunk;
  chunk->size = usual;
  arena->chunk = chunk;
  arena->free = (uint8_t *)chunk + 16;
  arena->end = arena->free + usual;
  return arena_take(arena, size);
}

void arena_free(Arena *arena) {
  while (arena->chunk) {
    ArenaChunk *previous = arena->chunk->previous;
    free(arena->chunk);
    arena->chunk = previous;
  }
  *arena = (Arena){0};
}
