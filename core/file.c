#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fault.h"

char *
file_join(const char *dir, const char *name)
{
	size_t n = strlen(dir) + strlen(name) + 2;
	char *path = fault_malloc(n);

	if (path != NULL)
		snprintf(path, n, "%s/%s", dir, name);
	return path;
}

enum err
file_probe(const char *dir, const char *name)
{
	int fd = fault_point() ? -1 : open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	enum err e = E_OK;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? E_FILE_ABSENT : file_error(errno);
	if (faccessat(fd, name, F_OK, 0) != 0)
		e = file_error(errno);
	close(fd);
	return e;
}

void
file_unlink(const char *dir, const char *name)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)unlinkat(fd, name, 0);
	close(fd);
}

enum err
file_no_folder(const char *path, struct why *why)
{
	const char *slash = strrchr(path, '/');

	return why_set(why, E_FOLDER_ABSENT, "%.*s",
		       slash == NULL   ? 1
		       : slash == path ? 1
				       : (int)(slash - path),
		       slash == NULL ? "." : path);
}

enum err
file_error(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return E_STORE_FULL;
	case ENOENT:
		return E_FILE_ABSENT;
	case EEXIST:
		return E_FILE_EXISTS;
	case ENOMEM:
		return E_NO_MEMORY;
	default:
		return E_IO;
	}
}

enum err
file_read(const char *path, size_t max, struct writer *out, struct why *why)
{
	int fd = fault_point() ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	enum err e = E_OK;
	uint8_t part[4096];
	size_t total = 0;
	ssize_t n = 0;

	if (fd < 0)
		return why_set(why, file_error(errno), "%s", path);
	for (;;) {
		n = fault_point() ? -1 : read(fd, part, sizeof(part));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		total += (size_t)n;
		if (total > max)
			break;
		writer_mem(out, part, (size_t)n);
	}
	if (n < 0)
		e = file_error(errno);
	else if (total > max)
		e = E_LIMIT;
	else
		e = writer_end(out);
	close(fd);
	explicit_bzero(part, sizeof(part));
	return e == E_OK ? E_OK : why_set(why, e, "%s", path);
}

enum err
file_write_all(int fd, struct bytes b)
{
	while (b.n > 0) {
		ssize_t n = fault_point() ? -1 : write(fd, b.p, b.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return file_error(errno);
		b.p += n;
		b.n -= (size_t)n;
	}
	return E_OK;
}

enum err
file_sync_dir(const char *dir)
{
	int fd = fault_point() ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err e = E_OK;

	if (fd < 0)
		return file_error(errno);
	/* A file system that cannot sync a directory says EINVAL: there is nothing more
	 * to do. */
	if ((fault_point() || fsync(fd) != 0) && errno != EINVAL)
		e = file_error(errno);
	close(fd);
	return e;
}

enum err
file_sync_parent(const char *path)
{
	size_t n = strlen(path);
	char *parent;
	enum err e;

	while (n > 1 && path[n - 1] == '/')
		n--;
	while (n > 0 && path[n - 1] != '/')
		n--;
	if ((parent = fault_malloc(n + 2)) == NULL)
		return E_NO_MEMORY;
	if (n == 0)
		strcpy(parent, ".");
	else
		snprintf(parent, n + 1, "%s", path);
	e = file_sync_dir(parent);
	free(parent);
	return e;
}

static enum err
write_new(const char *path, struct bytes b)
{
	int fd;
	enum err e;

	if (fault_point())
		return file_error(errno);
	if ((fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0)
		return file_error(errno);
	e = file_write_all(fd, b);
	if (e == E_OK && (fault_point() || fsync(fd) != 0))
		e = file_error(errno);
	if (close(fd) != 0 && e == E_OK)
		e = file_error(errno);
	return e;
}

enum err
file_replace(const char *dir, const char *name, struct bytes b, struct why *why)
{
	char *path = file_join(dir, name), *beside = NULL;
	enum err e = E_NO_MEMORY;
	size_t n;

	if (path == NULL)
		goto done;
	n = strlen(path) + sizeof(".new");
	if ((beside = fault_malloc(n)) == NULL)
		goto done;
	snprintf(beside, n, "%s.new", path);
	if ((e = write_new(beside, b)) == E_OK && (fault_point() || rename(beside, path) != 0))
		e = file_error(errno);
	if (e != E_OK)
		unlink(beside);
	else
		e = file_sync_dir(dir);
done:
	if (e != E_OK)
		why_set(why, e, "%s/%s", dir, name);
	free(beside);
	free(path);
	return e;
}
