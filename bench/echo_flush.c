/* The cheapest child that answers line by line: each line is given back by a write of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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
    ssize_t length;

    while ((length = getline(&line, &room, stdin)) > 0) {
        if (give(line, (size_t)length) != 0) return EXIT_FAILURE;
    }
    return ferror(stdin) ? EXIT_FAILURE : EXIT_SUCCESS;
}
