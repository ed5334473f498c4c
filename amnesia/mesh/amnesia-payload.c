/* SPDX-License-Identifier: MIT */

#include "amnesia-payload-private.h"

#include "amnesia-limits-private.h"

#include <sys/mman.h>
#include <unistd.h>

/* To get its pages one by one, 4 KiB each, makes a large value take two to three times as long. In
 * huge pages that is a tenth, from 1 MiB on (64 MiB: 25 ms, and 3.5 ms with them). And members that
 * share large values get one after the other: the memory of one that has been replaced is kept for the
 * next, for a while, where there is a link. One for the whole process is enough, as what is kept is to
 * be little. */

#define HUGE_PAGE ((gsize) 2 * 1024 * 1024)

/* Memory that is mapped, not allocated. It is freed by whoever drops the value last, in any thread. */
typedef struct
{
  guint8 *data;
  gsize   capacity;
  gint64  since; /* monotonic */
} Mapping;

static Mapping *spare;  /* (owned) (nullable) atomic */
static int n_holders;   /* atomic */

static gsize
round_up (gsize size,
          gsize unit)
{
  return (size + unit - 1) & ~(unit - 1);
}

/* How much memory a payload of that size takes in the end: exactly so much; where it is mapped, whole
 * pages, and a huge one at the end if at least half of that is needed. */
static gsize
get_final_capacity (gsize size)
{
  gsize rest = size % HUGE_PAGE;

  if (size < HUGE_PAGE / 2)
    return size;
  return round_up (size, rest >= HUGE_PAGE / 2 ? HUGE_PAGE : (gsize) sysconf (_SC_PAGESIZE));
}

static gboolean
is_mapped (gsize capacity)
{
  return capacity >= HUGE_PAGE;
}

/* Room that begins where a huge page does: without, none fit in, and those that are there break when
 * they are moved. */
static guint8 *
map_aligned (gsize size)
{
  guint8 *area = mmap (NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  gsize before;

  if (area == MAP_FAILED)
    return NULL;
  before = round_up (GPOINTER_TO_SIZE (area), HUGE_PAGE) - GPOINTER_TO_SIZE (area);
  if (before > 0)
    munmap (area, before);
  munmap (area + before + size, HUGE_PAGE - before);
  return area + before;
}

/* Cuts what is mapped, or moves its pages to where there is more room. That room counts in full towards
 * all limits before anything is moved there: older kernels find out that there is no memory only when
 * they have unmapped it, and then it may be another thread's that we unmap. */
static guint8 *
remap (guint8 *data,
       gsize   capacity,
       gsize   wanted)
{
  guint8 *area;

  if (wanted <= capacity)
    {
      if (wanted < capacity)
        munmap (data + wanted, capacity - wanted);
      return data;
    }
  area = map_aligned (wanted);
  if (area == NULL)
    return NULL;
  if (mremap (data, capacity, wanted, MREMAP_MAYMOVE | MREMAP_FIXED, area) != MAP_FAILED)
    return area;
  munmap (area, wanted);
  return NULL;
}

static void
mapping_free (Mapping *self)
{
  munmap (self->data, self->capacity);
  g_free (self);
}

static void
drop_spare (void)
{
  Mapping *mapping = g_atomic_pointer_exchange (&spare, NULL);

  if (mapping != NULL)
    mapping_free (mapping);
}

/* A value is gone: its memory is the spare one now. */
static void
mapping_release (gpointer data)
{
  Mapping *self = data;

  self->since = g_get_monotonic_time ();
  self = g_atomic_pointer_exchange (&spare, self);
  if (self != NULL)
    mapping_free (self);
  /* asked behind it, as the last link may go at this moment, in another thread */
  if (g_atomic_int_get (&n_holders) == 0)
    drop_spare ();
}

/* There is a link, over which large values may come: it pays to keep memory for them. */
void
amnesia_payload_hold_spare (void)
{
  g_atomic_int_inc (&n_holders);
}

void
amnesia_payload_release_spare (void)
{
  if (g_atomic_int_dec_and_test (&n_holders))
    drop_spare ();
}

/* Gives back what has not been needed for so long. */
void
amnesia_payload_trim_spare (gint64 age)
{
  Mapping *mapping;

  if (g_atomic_pointer_get (&spare) == NULL)
    return;
  mapping = g_atomic_pointer_exchange (&spare, NULL);
  if (mapping == NULL)
    return;
  if (g_get_monotonic_time () - mapping->since >= age ||
      !g_atomic_pointer_compare_and_exchange (&spare, NULL, mapping))
    mapping_free (mapping);
}

/* What is warm is taken, also if it is smaller: it grows. */
static gboolean
take_spare (AmnesiaPayload *self,
            gsize           wanted)
{
  Mapping *mapping = g_atomic_pointer_exchange (&spare, NULL);

  if (mapping == NULL)
    return FALSE;
  self->capacity = MIN (mapping->capacity, wanted);
  self->data = remap (mapping->data, mapping->capacity, self->capacity);
  g_free (mapping);
  return TRUE;
}

/* From memory that is allocated to a first huge page, or to more. */
static gboolean
grow_mapped (AmnesiaPayload *self,
             gsize           wanted)
{
  guint8 *grown;

  if (is_mapped (self->capacity))
    grown = remap (self->data, self->capacity, wanted);
  else
    grown = map_aligned (wanted);
  if (grown == NULL)
    return FALSE;
  if (!is_mapped (self->capacity))
    {
      madvise (grown, wanted, MADV_HUGEPAGE);
      memcpy (grown, self->data, self->have);
      g_free (self->data);
    }
  self->data = grown;
  self->capacity = wanted;
  return TRUE;
}

static gboolean
grow (AmnesiaPayload *self)
{
  gsize final = get_final_capacity (self->size);
  gsize wanted = MAX (AMNESIA_PAYLOAD_STEP, 2 * self->capacity);
  guint8 *grown;

  if (is_mapped (final) && self->capacity == 0 && take_spare (self, final))
    return TRUE;
  if (is_mapped (final) && self->capacity > 0)
    return grow_mapped (self, MIN (MAX (wanted, HUGE_PAGE), final));
  wanted = MIN (wanted, final);
  grown = g_try_realloc (self->data, wanted);
  if (grown == NULL)
    return FALSE;
  self->data = grown;
  self->capacity = wanted;
  return TRUE;
}

/* A payload of @size bytes is announced: that takes no memory yet. */
void
amnesia_payload_init (AmnesiaPayload *self,
                      gsize           size)
{
  *self = (AmnesiaPayload) { .size = size };
}

void
amnesia_payload_clear (AmnesiaPayload *self)
{
  if (is_mapped (self->capacity))
    munmap (self->data, self->capacity);
  else
    g_free (self->data);
  amnesia_payload_init (self, 0);
}

/* Returns where what comes next goes, and how much has room there: what is there is doubled when it
 * is full. NULL: there is no memory. */
guint8 *
amnesia_payload_reserve (AmnesiaPayload *self,
                         gsize          *room)
{
  if (self->have == self->capacity && !grow (self))
    return NULL;
  *room = MIN (self->capacity, self->size) - self->have;
  return self->data + self->have;
}

/* It is whole. */
GBytes *
amnesia_payload_end (AmnesiaPayload *self)
{
  AmnesiaPayload payload = *self;
  Mapping *mapping;

  amnesia_payload_init (self, 0);
  if (!is_mapped (payload.capacity))
    return g_bytes_new_take (payload.data, payload.size);
  mapping = g_new (Mapping, 1);
  *mapping = (Mapping) { payload.data, payload.capacity, 0 };
  return g_bytes_new_with_free_func (payload.data, payload.size, mapping_release, mapping);
}
