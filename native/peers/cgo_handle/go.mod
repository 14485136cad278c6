module arcinspector/cgohandle

go 1.20
