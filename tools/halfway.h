/*
 * halfway: a store that was being made, and would stand in the way of making it again.
 */
#ifndef BANYAN_TOOLS_HALFWAY_H
#define BANYAN_TOOLS_HALFWAY_H

/* halfway_remove: take away what banyan puts into a new store, and the folder if nothing else is in it. */
void halfway_remove(const char *store);

#endif
