package main

import "container/list"

// oldestFirst keeps something for each trace, in the order of arrival.
type oldestFirst[Value any] struct {
	order  *list.List
	places map[traceID]*list.Element
}

type entry[Value any] struct {
	id    traceID
	value Value
}

func newOldestFirst[Value any]() oldestFirst[Value] {
	return oldestFirst[Value]{list.New(), map[traceID]*list.Element{}}
}

func (o oldestFirst[Value]) len() int { return len(o.places) }

func (o oldestFirst[Value]) add(id traceID, value Value) {
	o.places[id] = o.order.PushBack(entry[Value]{id, value})
}

func (o oldestFirst[Value]) get(id traceID) (value Value, isThere bool) {
	place, isThere := o.places[id]
	if isThere {
		value = place.Value.(entry[Value]).value
	}
	return value, isThere
}

func (o oldestFirst[Value]) oldest() (id traceID, value Value, isThere bool) {
	place := o.order.Front()
	if place == nil {
		return id, value, false
	}
	oldest := place.Value.(entry[Value])
	return oldest.id, oldest.value, true
}

func (o oldestFirst[Value]) remove(id traceID) {
	if place, isThere := o.places[id]; isThere {
		o.order.Remove(place)
		delete(o.places, id)
	}
}
