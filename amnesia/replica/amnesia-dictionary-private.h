/* SPDX-License-Identifier: MIT */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Dictionaries (a{sv}) as the bytes that they are serialised to. With GVariant a value is made for each
 * member that is looked at, and GVariantBuilder makes a tree of them, which is serialised later: with
 * thousands of keys, and for each change, that is ten times the work. */

/* One to be read, which is in normal form and has to live as long as this. */
typedef struct
{
  const guint8 *data;
  gsize         body;        /* where the offsets begin */
  gsize         offset_size;
  gsize         n_members;
} AmnesiaDictionaryReader;

/* One to be written: its members in the order in which they are added. */
typedef struct
{
  GArray *parts; /* (owned) */
} AmnesiaDictionaryWriter;

void        amnesia_dictionary_reader_init (AmnesiaDictionaryReader *self,
                                            GVariant                *dictionary);
const char *amnesia_dictionary_reader_get  (AmnesiaDictionaryReader *self,
                                            gsize                    position,
                                            gsize                   *size);

void        amnesia_dictionary_writer_init (AmnesiaDictionaryWriter *self,
                                            guint                    n_reserved);
void        amnesia_dictionary_writer_add_member (AmnesiaDictionaryWriter *self,
                                            const char              *member,
                                            gsize                    size);
void        amnesia_dictionary_writer_add  (AmnesiaDictionaryWriter *self,
                                            const char              *key,
                                            GVariant                *value);
GVariant   *amnesia_dictionary_writer_end  (AmnesiaDictionaryWriter *self);

G_END_DECLS
