#include "tests/bench/proc.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/run.h"

double
proc_cpu_s(pid_t pid)
{
	char path[64];
	unsigned long user = 0, kernel = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((f = fopen(path, "r")) == NULL ||
	    fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		   &kernel) != 2)
		die("%s", path);
	(void)fclose(f);
	return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

double
proc_ack_us(pid_t pid)
{
	char path[300], name[40];
	unsigned long long ns;
	double sum = 0;
	struct dirent *t;
	DIR *tasks;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	if ((tasks = opendir(path)) == NULL)
		die("%s", path);
	while ((t = readdir(tasks)) != NULL) {
		if (t->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%d/task/%.20s/comm", (int)pid, t->d_name);
		if ((f = fopen(path, "r")) == NULL || fscanf(f, "%39s", name) != 1)
			die("%s", path);
		(void)fclose(f);
		(void)snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat", (int)pid,
			       t->d_name);
		if ((f = fopen(path, "r")) == NULL || fscanf(f, "%llu", &ns) != 1)
			die("%s", path);
		(void)fclose(f);
		if (strcmp(name, "opener") != 0 && strcmp(name, "crew") != 0)
			sum += (double)ns / 1000;
	}
	(void)closedir(tasks);
	return sum;
}

void
proc_use(pid_t pid, struct proc_use *out)
{
	char path[64], line[200];
	unsigned long major = 0, user = 0;
	unsigned long long n;
	FILE *f;

	*out = (struct proc_use){.user_s = 0};
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((f = fopen(path, "r")) == NULL ||
	    fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %lu %*u %lu", &major,
		   &user) != 2)
		die("%s", path);
	(void)fclose(f);
	out->major = major;
	out->user_s = (double)user / (double)sysconf(_SC_CLK_TCK);
	(void)snprintf(path, sizeof(path), "/proc/%d/io", (int)pid);
	if ((f = fopen(path, "r")) == NULL)
		die("%s", path);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "read_bytes: %llu", &n) == 1)
			out->read_bytes = n;
		if (sscanf(line, "write_bytes: %llu", &n) == 1)
			out->written_bytes = n;
	}
	(void)fclose(f);
}

double
proc_rss_mb(pid_t pid)
{
	char path[64];
	unsigned long size, resident;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	if ((f = fopen(path, "r")) == NULL || fscanf(f, "%lu %lu", &size, &resident) != 2)
		die("%s", path);
	(void)fclose(f);
	return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1e6;
}
