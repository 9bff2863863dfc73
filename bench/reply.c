/* The cheapest worker that speaks `records`: each request is accepted, each reply is a write of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char before_id[] = "{\"id\":";
static const char after_id[] = ",\"ok\":true}\n";

static int give(const char *from, size_t left) {
    while (left > 0) {
        ssize_t written = write(STDOUT_FILENO, from, left);
        if (written < 0) return -1;
        from += written;
        left -= (size_t)written;
    }
    return 0;
}

int main(void) {
    char *line = NULL;
    size_t room = 0;
    char reply[64];

    memcpy(reply, before_id, sizeof before_id - 1);
    while (getline(&line, &room, stdin) > 0) {
        const char *id = line + sizeof before_id - 1;
        if (strncmp(line, before_id, sizeof before_id - 1) != 0) return EXIT_FAILURE;
        size_t digits = strspn(id, "0123456789");
        if (digits == 0 || digits > 20) return EXIT_FAILURE;

        char *end = reply + sizeof before_id - 1;
        memcpy(end, id, digits);
        end += digits;
        memcpy(end, after_id, sizeof after_id - 1);
        end += sizeof after_id - 1;
        if (give(reply, (size_t)(end - reply)) != 0) return EXIT_FAILURE;
    }
    return ferror(stdin) ? EXIT_FAILURE : EXIT_SUCCESS;
}
