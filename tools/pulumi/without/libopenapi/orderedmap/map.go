// Package orderedmap stands in for the original's map, and is always empty.
package orderedmap

import "iter"

// Map would keep the order of its keys.
type Map[K comparable, V any] struct{}

// New makes a map.
func New[K comparable, V any]() *Map[K, V] { return &Map[K, V]{} }

// Len is nothing.
func Len[K comparable, V any](*Map[K, V]) int { return 0 }

// Get finds nothing.
func (*Map[K, V]) Get(K) (value V, found bool) { return value, false }

// GetOrZero finds nothing.
func (*Map[K, V]) GetOrZero(K) (value V) { return value }

// Set keeps nothing.
func (*Map[K, V]) Set(K, V) (old V, found bool) { return old, false }

// Delete finds nothing.
func (*Map[K, V]) Delete(K) (old V, found bool) { return old, false }

// FromOldest yields nothing.
func (*Map[K, V]) FromOldest() iter.Seq2[K, V] { return func(func(K, V) bool) {} }

// KeysFromOldest yields nothing.
func (*Map[K, V]) KeysFromOldest() iter.Seq[K] { return func(func(K) bool) {} }
