/* SPDX-License-Identifier: MIT */

#pragma once

#include "replica/amnesia-entry-private.h"
#include "replica/amnesia-value-private.h"

G_BEGIN_DECLS

/* The bytes of the protocol. A connection opens with the preamble; then come frames: a prefix of
 * 16 bytes (kind, flags, zero, header size, payload size; little-endian), the header, which is a
 * GVariant of one fixed type per kind, and the payload; both padded with zeros to 8 bytes. */

#define AMNESIA_PREAMBLE "\0amnesia"
#define AMNESIA_PREAMBLE_SIZE 8
#define AMNESIA_PREFIX_SIZE 16
#define AMNESIA_PROTOCOL_MIN 1
#define AMNESIA_PROTOCOL_MAX 1

typedef enum
{
  AMNESIA_FRAME_HELLO = 1,
  AMNESIA_FRAME_BYE = 2,
  AMNESIA_FRAME_WRITE = 3,
  AMNESIA_FRAME_ACK = 4,
  AMNESIA_FRAME_LINKS = 5,
  AMNESIA_FRAME_BEAT = 6,
  AMNESIA_FRAME_LIST = 7,
} AmnesiaFrameKind;

#define AMNESIA_N_FRAMES (AMNESIA_FRAME_LIST + 1)

/* The frame may be skipped by who does not know its kind. */
#define AMNESIA_FRAME_IGNORABLE 0x01

/* What the header of a write of one value says, the whole or one key. */
typedef struct
{
  AmnesiaStamp stamp;
  guint64      id;
  AmnesiaSeen  seen[AMNESIA_MAX_SEEN];
  guint        n_seen;
  char         key[AMNESIA_MAX_KEY + 1];
  char         type[AMNESIA_MAX_TYPE + 1];
  guint64      size;
} AmnesiaSingle;

/* How many numbers the header of a frame is at most, where it is nothing else. */
#define AMNESIA_FRAME_NUMBERS 5

/* One frame that arrived whole; its header is checked, and native-endian. The kinds of which there are
 * most have none, but what it said. */
typedef struct
{
  AmnesiaFrameKind kind;
  GVariant        *header;  /* (owned) (nullable) */
  GBytes          *payload; /* (owned) (nullable) */
  GPtrArray       *entries; /* (owned) (nullable) of a write that is decoded already */
  AmnesiaSingle   *single;  /* (owned) (nullable) instead of the header of such a write */
  guint64          numbers[AMNESIA_FRAME_NUMBERS]; /* instead of the header of an ack or a beat */
} AmnesiaFrame;

/* One frame to be sent. The receiver wants the payload padded to 8 bytes. */
typedef struct
{
  GBytes *head;    /* (owned) prefix and header, padded */
  GBytes *payload; /* (owned) (nullable) */
} AmnesiaPacket;

typedef struct
{
  guint16  version_min;
  guint16  version_max;
  guint64  id;
  char    *group;     /* (owned) */
  char    *host;      /* (owned) the sender's own entry; "" and 0: none */
  guint16  port;
  gint64   wall;      /* microseconds since 1970 */
  guint64  max_size;
  gboolean empty;     /* the sender has no entry */
} AmnesiaHello;

/* Why a link ends, told to the other side. Part of the protocol: never renumber. */
typedef enum
{
  AMNESIA_BYE_LEAVING = 0,
  AMNESIA_BYE_DUPLICATE = 1,
  AMNESIA_BYE_VERSION = 2,
  AMNESIA_BYE_GROUP = 3,
  AMNESIA_BYE_CLOCK = 4,
  AMNESIA_BYE_SELF = 5,
  AMNESIA_BYE_PROTOCOL = 6,
} AmnesiaBye;

typedef struct
{
  guint64 digest;
  gint64  wall;  /* microseconds since 1970 */
  gint64  sent;  /* when, by the sender's monotonic clock */
  gint64  echo;  /* the last `sent` of the other side, 0 if none */
  gint64  held;  /* how long ago that came */
} AmnesiaBeat;

typedef struct
{
  char         *key; /* (owned) */
  AmnesiaStamp  stamp;
  guint64       id;
  guint64       size;
} AmnesiaListItem;

/* What the sender has of the keys from `from` on and, unless it is the last frame, below `to`. */
typedef struct
{
  char     *from;  /* (owned) */
  char     *to;    /* (owned) */
  gboolean  last;
  gboolean  reply; /* the other side is to send its own list */
  GArray   *items; /* (owned) (element-type AmnesiaListItem) */
} AmnesiaList;

gboolean      amnesia_frame_check_prefix  (const guint8        *prefix,
                                           gboolean             greeted,
                                           guint64              max_size,
                                           AmnesiaFrameKind    *kind,
                                           gsize               *header_size,
                                           gsize               *payload_size,
                                           GError             **error);
gboolean      amnesia_frame_read_header   (AmnesiaFrame        *frame,
                                           const guint8        *bytes,
                                           gsize                size,
                                           gsize                payload_size,
                                           guint64              max_size,
                                           GError             **error);
void          amnesia_frame_clear         (AmnesiaFrame        *frame);
void          amnesia_packet_clear        (AmnesiaPacket       *packet);

void          amnesia_frame_encode_hello  (const AmnesiaHello  *hello,
                                           AmnesiaPacket       *packet);
void          amnesia_frame_decode_hello  (const AmnesiaFrame  *frame,
                                           AmnesiaHello        *hello);
void          amnesia_hello_clear         (AmnesiaHello        *hello);

void          amnesia_frame_encode_bye    (AmnesiaBye           reason,
                                           const char          *message,
                                           AmnesiaPacket       *packet);
void          amnesia_frame_decode_bye    (const AmnesiaFrame  *frame,
                                           AmnesiaBye          *reason,
                                           char               **message);

void          amnesia_frame_encode_entry  (AmnesiaEntry        *entry,
                                           AmnesiaPacket       *packet);
gboolean      amnesia_frame_encode_write  (GPtrArray           *entries,
                                           AmnesiaPacket       *packet);
gboolean      amnesia_frame_is_slow       (const AmnesiaFrame  *frame);
AmnesiaEntry *amnesia_frame_decode_single (const AmnesiaFrame  *frame,
                                           guint64              max_size,
                                           GError             **error);
GPtrArray    *amnesia_frame_decode_write  (const AmnesiaFrame  *frame,
                                           guint64              max_size,
                                           GError             **error);

void          amnesia_frame_encode_ack    (guint64              count,
                                           AmnesiaPacket       *packet);
guint64       amnesia_frame_decode_ack    (const AmnesiaFrame  *frame);

void          amnesia_frame_encode_links  (GArray              *ids,
                                           AmnesiaPacket       *packet);
GArray       *amnesia_frame_decode_links  (const AmnesiaFrame  *frame);

void          amnesia_frame_encode_beat   (const AmnesiaBeat   *beat,
                                           AmnesiaPacket       *packet);
void          amnesia_frame_decode_beat   (const AmnesiaFrame  *frame,
                                           AmnesiaBeat         *beat);

char         *amnesia_frame_encode_list   (GPtrArray           *entries,
                                           const char          *from,
                                           gboolean             reply,
                                           AmnesiaPacket       *packet);
gboolean      amnesia_frame_decode_list   (const AmnesiaFrame  *frame,
                                           AmnesiaList         *list,
                                           GError             **error);
void          amnesia_list_clear          (AmnesiaList         *list);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AmnesiaFrame, amnesia_frame_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AmnesiaPacket, amnesia_packet_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AmnesiaHello, amnesia_hello_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AmnesiaList, amnesia_list_clear)

G_END_DECLS
