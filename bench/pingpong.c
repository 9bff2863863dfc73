/* `pingpong IN OUT`: what one in flight costs at the least. Each line of IN goes through a pipe to a child, which
   answers it with one write; then it is written to OUT, and the next one goes. No records, no ids, no supervision. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int answer(int from, int to) {
    static char seen[1 << 16];
    ssize_t got;
    while ((got = read(from, seen, sizeof seen)) > 0)
        if (memchr(seen, '\n', (size_t)got) != NULL && write(to, "ok\n", 3) != 3) return EXIT_FAILURE;
    return got == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int count, char **words) {
    int there[2], back[2], status;
    char *line = NULL, reply[8];
    size_t room = 0;
    ssize_t length;
    FILE *in = count == 3 ? fopen(words[1], "r") : NULL, *out = in ? fopen(words[2], "w") : NULL;

    if (out == NULL || pipe(there) != 0 || pipe(back) != 0) return EXIT_FAILURE;
    pid_t child = fork();
    if (child < 0) return EXIT_FAILURE;
    if (child == 0) {
        close(there[1]);
        _exit(answer(there[0], back[1]));
    }
    while ((length = getline(&line, &room, in)) > 0) {
        if (write(there[1], line, (size_t)length) != length || read(back[0], reply, sizeof reply) != 3) return EXIT_FAILURE;
        if (fwrite(line, 1, (size_t)length, out) != (size_t)length) return EXIT_FAILURE;
    }
    close(there[1]);
    if (ferror(in) || fclose(out) != 0 || waitpid(child, &status, 0) != child) return EXIT_FAILURE;
    return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
