/* SPDX-License-Identifier: MIT */

#pragma once

#include "amnesia-repair-private.h"
#include "amnesia-transit-private.h"

G_BEGIN_DECLS

/* The two clocks, in microseconds. */
typedef struct
{
  gint64 mono;
  gint64 wall; /* since 1970 */
} AmnesiaTime;

/* What all links of one store have in common. */
typedef struct
{
  AmnesiaReplica *replica;     /* (owned) */
  char           *group;       /* (owned) */
  char           *host;        /* (owned) our own entry; "" and 0: none */
  guint16         port;
  guint64         max_size;
  gint64          clock_limit; /* microseconds, 0: none */
  GArray         *linked;      /* (owned) (element-type guint64) the ids of those who said hello */

  GPtrArray      *write;       /* (owned) (nullable) the last one of several values that was sent */
  AmnesiaPacket   write_packet; /* as it was encoded, for the other links */
} AmnesiaLocal;

/* GREETING: the peer has not said hello. UP: it has. LEAVING: what is due is sent, then a bye,
 * and nothing more is begun. */
typedef enum
{
  AMNESIA_LINK_GREETING,
  AMNESIA_LINK_UP,
  AMNESIA_LINK_LEAVING,
} AmnesiaLinkState;

/* One connection, as far as it can be thought of without a socket: frames in, frames out, and when
 * to give up. The struct is for the mesh to read; only link functions change it. */
typedef struct
{
  AmnesiaLocal     *local;   /* (unowned) */
  gpointer          member;  /* (unowned) (nullable) the mesh's: whom this connects to */
  gpointer          channel; /* (unowned) (nullable) the transport's: what carries the bytes */
  gboolean          dialled; /* by us */
  gboolean          nearby;  /* by a Unix socket: the peer is of this machine and user */
  gboolean          encrypted; /* by TLS: both have shown a certificate */
  guint64           serial;  /* the lower, the older */
  char             *host;    /* (owned) where it goes or comes from */
  guint16           port;
  char             *name;    /* (owned) for messages */

  AmnesiaLinkState  state;
  gboolean          refused; /* what the peer says does not count, or no more */
  gboolean          left;    /* the peer has said that it leaves */
  gint64            born;
  gint64            heard;    /* when the last byte came, or we were done with what came */
  gboolean          busy;     /* we are at what it sent; nothing is read meanwhile */
  gint64            told;     /* when the last write or list came, or the hello */
  gint64            counted;  /* since when bytes are counted for the trickle: then, or later */
  gsize             n_bytes;  /* that came since */
  gint64            progress; /* when the socket last took a byte, or had nothing to take */
  gint64            pace;     /* since when the frame that is coming has not got on; 0: none is */
  gsize             paced;    /* what came of it since */
  gboolean          in_flight;
  gsize             sending;  /* bytes of the value in flight */
  gsize             unacked;  /* bytes of the largest value that went and was not acknowledged */
  AmnesiaTransit    going;    /* what is in flight */
  AmnesiaTransit    coming;   /* the frame that is coming */

  /* from the peer's hello */
  guint64           peer_id;
  GArray           *peer_linked; /* (owned) (element-type guint64) */
  guint             all_have_it; /* the shape of the links in which all have what this peer gives; 0: none */
  gint64            clock_offset;
  gint64            round_trip;  /* -1: not known yet */

  /* to be sent */
  gboolean          hello_sent;
  gboolean          bye_sent;
  AmnesiaBye        bye;
  char             *bye_message;  /* (owned) (nullable) */
  gboolean          links_due;
  gint64            next_beat;
  gboolean          answer_due;    /* to the peer's first one */
  gint64            beat_received; /* when, 0 if never */
  gint64            beat_echo;     /* what it said it was sent at */
  gboolean          base_dirty;    /* the whole value */
  GTree            *dirty;         /* (owned) (element-type utf8) keys */
  GArray           *order;         /* (owned) (nullable) (element-type AmnesiaListItem) what was dirty,
                                    * what was written first at the end */

  /* counted, to know what the other side has */
  guint64           values_sent;
  guint64           values_acked;
  guint64           values_taken;
  guint64           values_told;
  gint64            told_at;     /* when that was */

  AmnesiaRepair     repair;
} AmnesiaLink;

/* What came of a frame. */
typedef struct
{
  gboolean   greeted; /* this was the hello */
  char      *host;    /* (owned) (nullable) with the hello: the peer's own entry */
  guint16    port;
  gboolean   empty;   /* and that it has nothing */
  AmnesiaEntry *single; /* (owned) (nullable) it was of one value, which is in force here now */
  GPtrArray *taken;   /* (owned) (nullable) (element-type AmnesiaEntry) of others, what is in force now */
  GError    *notice;  /* (owned) (nullable) for `last-error`; the link lives on */
} AmnesiaReceipt;

void         amnesia_local_forget_write  (AmnesiaLocal        *self);

AmnesiaLink *amnesia_link_new            (AmnesiaLocal        *local,
                                          const char          *host,
                                          guint16              port,
                                          gboolean             dialled,
                                          guint64              serial,
                                          AmnesiaTime          now);
void         amnesia_link_free           (AmnesiaLink         *self);
void         amnesia_link_set_name       (AmnesiaLink         *self,
                                          const char          *name);

gboolean     amnesia_link_receive        (AmnesiaLink         *self,
                                          const AmnesiaFrame  *frame,
                                          AmnesiaTime          now,
                                          AmnesiaReceipt      *receipt,
                                          GError             **error);
void         amnesia_link_give_all       (AmnesiaLink         *self,
                                          AmnesiaTime          now);
void         amnesia_receipt_clear       (AmnesiaReceipt      *receipt);

gboolean     amnesia_link_has_news       (AmnesiaLink         *self);
gboolean     amnesia_link_wants_to_send  (AmnesiaLink         *self,
                                          AmnesiaTime          now);
gint64       amnesia_link_get_ack_time   (AmnesiaLink         *self);
gboolean     amnesia_link_is_beat_due    (AmnesiaLink         *self,
                                          AmnesiaTime          now);
void         amnesia_link_hasten_beat    (AmnesiaLink         *self,
                                          AmnesiaTime          now);
gboolean     amnesia_link_pull           (AmnesiaLink         *self,
                                          AmnesiaTime          now,
                                          AmnesiaPacket       *packet,
                                          GError             **notice);
void         amnesia_link_sent           (AmnesiaLink         *self,
                                          gboolean             all,
                                          AmnesiaTime          now);
gboolean     amnesia_link_going          (AmnesiaLink         *self,
                                          gsize                left,
                                          AmnesiaTime          now);
void         amnesia_link_mark           (AmnesiaLink         *self,
                                          const char          *key);
gboolean     amnesia_link_is_marked      (AmnesiaLink         *self,
                                          const char          *key);
guint        amnesia_link_count_marks    (AmnesiaLink         *self);
void         amnesia_link_mark_links     (AmnesiaLink         *self);
void         amnesia_link_leave          (AmnesiaLink         *self,
                                          AmnesiaBye           reason,
                                          const char          *message);

AmnesiaBye   amnesia_link_get_bye        (const GError        *error);
const GError *amnesia_link_explain       (AmnesiaLink         *self,
                                          const GError        *error,
                                          GError             **made);

void         amnesia_link_heard          (AmnesiaLink         *self,
                                          gsize                n_bytes,
                                          AmnesiaTime          now);
void         amnesia_link_arriving       (AmnesiaLink         *self,
                                          gsize                size,
                                          gboolean             amid,
                                          AmnesiaTime          now);
gboolean     amnesia_link_gone           (AmnesiaLink         *self);
gboolean     amnesia_link_coming         (AmnesiaLink         *self,
                                          gsize                done,
                                          gsize                size,
                                          AmnesiaTime          now);
gboolean     amnesia_link_come           (AmnesiaLink         *self);
gboolean     amnesia_link_review_transits (AmnesiaLink *self,
                                           AmnesiaTime  now);
void         amnesia_link_set_busy       (AmnesiaLink         *self,
                                          gboolean             busy,
                                          AmnesiaTime          now);
void         amnesia_link_forgive        (AmnesiaLink         *self,
                                          AmnesiaTime          now);
gboolean     amnesia_link_tick           (AmnesiaLink         *self,
                                          AmnesiaTime          now,
                                          GError             **error);
gint64       amnesia_link_get_deadline   (AmnesiaLink         *self,
                                          AmnesiaTime          now);

gboolean     amnesia_link_is_up          (AmnesiaLink         *self);
gboolean     amnesia_link_is_synced      (AmnesiaLink         *self);
gboolean     amnesia_link_is_confirmed   (AmnesiaLink         *self);
gboolean     amnesia_link_is_denying     (AmnesiaLink         *self);
gboolean     amnesia_link_is_in_sync     (AmnesiaLink         *self);
gboolean     amnesia_link_is_linked_with (AmnesiaLink         *self,
                                          guint64              id);

char        *amnesia_escape_text         (const char          *text);
char        *amnesia_format_address      (const char          *host,
                                          guint16              port);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AmnesiaReceipt, amnesia_receipt_clear)

G_END_DECLS
