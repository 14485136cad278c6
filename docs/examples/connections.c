/* A pool of counted connections, inspected as it runs.
 *
 * Reads steps from standard input: `open N` makes N connections, `share` counts the newest up,
 * `close` gives the newest back, `stop` ends. After each step it prints the live connections.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arc_inspector.h>

#define MOST 1000

typedef struct Connection {
    uint32_t references;
    uint64_t row; /* its row in the inspector, 0: it has none */
} Connection;

static Connection *pool[MOST];
static int live;

static AiText text(const char *words) {
    AiText made;
    made.data = (const uint8_t *)words;
    made.length = strlen(words);
    return made;
}

static void fail(const char *doing, const AiError *error) {
    fprintf(stderr, "%s: %.*s\n", doing, (int)error->length, (const char *)error->message);
    exit(1);
}

/* The place that opened a connection, for the inspector's stacks. */
static uint32_t site_of(const char *function, const char *file, uint32_t line) {
    AiFrameText frame;
    frame.function = (const uint8_t *)function;
    frame.function_length = strlen(function);
    frame.file = (const uint8_t *)file;
    frame.file_length = strlen(file);
    frame.line = line;
    return ai_site(&frame, 1, 0);
}

static void open_connection(uint16_t type) {
    AiError error;
    Connection *made = (Connection *)calloc(1, sizeof *made);
    if (!made || live == MOST) exit(1);
    made->references = 1;
    ai_set_site(site_of(__func__, __FILE__, __LINE__));
    if (ai_row_add(type, (uint64_t)(uintptr_t)made, 0, 1, &made->row, &error))
        fail("no row", &error);
    ai_set_site(0);
    ai_row_counts(made->row, made->references, 0, 0);
    pool[live++] = made;
}

static void share(Connection *connection) {
    connection->references++;
    ai_row_counts(connection->row, connection->references, 0, 0);
}

static void give_back(Connection *connection) {
    AiError error;
    if (--connection->references) {
        ai_row_counts(connection->row, connection->references, 0, 0);
        return;
    }
    if (ai_row_end(connection->row, AiReferenceState_Dropped, &error)) fail("no end", &error);
    free(connection);
    live--;
}

int main(void) {
    AiError error;
    AiOptions options;
    AiTypeSpec spec;
    uint16_t type = 0;
    char step[64];

    memset(&options, 0, sizeof options);
    options.level = AiLevel_Stacks;
    options.idle_level = AiLevel_Count;
    options.program = text("connections");
    options.runtime = text("C");
    if (ai_start(&options, &error)) fail("not started", &error);

    memset(&spec, 0, sizeof spec);
    spec.name = text("Connection");
    spec.origin = text("connections");
    spec.kind = AiKind_Declared;
    spec.size_bytes = sizeof(Connection);
    if (ai_type(&spec, &type, &error)) fail("no type", &error);

    printf("ready\n");
    fflush(stdout);
    while (fgets(step, sizeof step, stdin)) {
        int count = 0;
        if (sscanf(step, "open %d", &count) == 1)
            while (count-- > 0) open_connection(type);
        else if (!strncmp(step, "share", 5) && live)
            share(pool[live - 1]);
        else if (!strncmp(step, "close", 5) && live)
            give_back(pool[live - 1]);
        else if (!strncmp(step, "stop", 4))
            break;
        printf("%d\n", live);
        fflush(stdout);
    }
    while (live) give_back(pool[live - 1]);
    if (ai_stop(&error)) fail("not stopped", &error);
    return 0;
}
