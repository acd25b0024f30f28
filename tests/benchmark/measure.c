// measure ROUNDS COMMAND... runs the commands alternately and prints the medians of what each cost as a whole process,
// with ratios to the first. A command is a program and its arguments, separated by single spaces.
//
// In C, static and small for a reason: Linux counts the peak memory of the process that starts a program as that
// program's own until it has used more, so the parent must be smaller than what it measures.
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

enum { MAX_ARGUMENTS = 16, MAX_COMMANDS = 8 };

struct command {
    const char *text;
    char *arguments[MAX_ARGUMENTS];
    long *cpu_us, *wall_us, *rss_kib;
};

extern char **environ;

static void die(const char *why) {
    fprintf(stderr, "measure: %s\n", why);
    exit(1);
}

static long *longs(int count) {
    long *room = calloc(count, sizeof *room);
    if (!room) die("out of memory");
    return room;
}

static struct command parse(const char *text, int rounds) {
    struct command command = {text, {0}, longs(rounds), longs(rounds), longs(rounds)};
    int count = 0;
    for (char *word = strtok(strdup(text), " "); word; word = strtok(NULL, " ")) {
        if (count == MAX_ARGUMENTS - 1) die("too many arguments");
        command.arguments[count++] = word;
    }
    return command;
}

static long microseconds(struct timeval time) { return time.tv_sec * 1000000L + time.tv_usec; }

static long now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

static void run(struct command *command, int round, posix_spawn_file_actions_t *silence) {
    pid_t child;
    int status;
    struct rusage usage;
    long start = now_us();
    if (posix_spawn(&child, command->arguments[0], silence, NULL, command->arguments, environ)) die("cannot start a command");
    if (wait4(child, &status, 0, &usage) != child || status != 0) die("a command failed");
    command->wall_us[round] = now_us() - start;
    command->cpu_us[round] = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
    command->rss_kib[round] = usage.ru_maxrss;
}

static int ascending(const void *a, const void *b) {
    long left = *(const long *)a, right = *(const long *)b;
    return (left > right) - (left < right);
}

static long median(long *values, int count) {
    qsort(values, count, sizeof *values, ascending);
    return values[count / 2];
}

int main(int argc, char **argv) {
    int rounds = argc > 2 ? atoi(argv[1]) : 0, count = argc - 2;
    if (rounds < 1 || count > MAX_COMMANDS) die("usage: measure ROUNDS COMMAND...");

    posix_spawn_file_actions_t silence;
    posix_spawn_file_actions_init(&silence);
    posix_spawn_file_actions_addopen(&silence, 1, "/dev/null", O_WRONLY, 0);

    struct command commands[MAX_COMMANDS];
    for (int i = 0; i < count; i++) commands[i] = parse(argv[2 + i], rounds);
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < count; i++) run(&commands[i], round, &silence);

    printf("medians of %d alternating runs\n%8s %7s %8s %9s %7s\n", rounds, "CPU us", "ratio", "wall us", "RSS KiB", "ratio");
    long floor_cpu = 0, floor_rss = 0;
    for (int i = 0; i < count; i++) {
        long cpu = median(commands[i].cpu_us, rounds), rss = median(commands[i].rss_kib, rounds);
        if (i == 0) floor_cpu = cpu, floor_rss = rss;
        printf("%8ld %6.2fx %8ld %9ld %6.2fx  %s\n", cpu, (double)cpu / floor_cpu, median(commands[i].wall_us, rounds), rss,
               (double)rss / floor_rss, commands[i].text);
    }
}
