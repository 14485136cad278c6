/* The library that a Java virtual machine loads, when it starts or when a viewer attaches. */

#include <stdint.h>
#include <stdio.h>

#include "arc_inspector.h"

#define EXPORTED __attribute__((visibility("default")))

static int32_t start(void *machine, const char *options)
{
    AiError error = {0};
    int32_t status = ai_jvm_start(machine, options, &error);
    if (status != 0)
        fprintf(stderr, "arc-inspector: %.*s\n", (int)sizeof error.message, error.message);
    return status;
}

EXPORTED int32_t Agent_OnAttach(void *machine, char *options, void *reserved)
{
    (void)reserved;
    return start(machine, options);
}
