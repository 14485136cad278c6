// Package cgohandle measures the peer of our foreign objects: Go's cgo.Handle.
package cgohandle

import (
	"runtime/cgo"
	"testing"
)

type listener struct{ heard int }

func BenchmarkNewDelete(b *testing.B) {
	value := &listener{}
	for i := 0; i < b.N; i++ {
		cgo.NewHandle(value).Delete()
	}
}

func BenchmarkValue(b *testing.B) {
	handle := cgo.NewHandle(&listener{})
	defer handle.Delete()
	for i := 0; i < b.N; i++ {
		handle.Value().(*listener).heard++
	}
}
