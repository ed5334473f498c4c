/* SPDX-License-Identifier: MIT */

#pragma once

#if !defined (AMNESIA_INSIDE) && !defined (AMNESIA_COMPILATION)
#error "Only <amnesia.h> can be included directly."
#endif

#include "amnesia-version.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * AMNESIA_ERROR:
 *
 * The error domain of libamnesia; its codes are [error@Amnesia.Error].
 *
 * Since: 0.1
 */
#define AMNESIA_ERROR (amnesia_error_quark ())

/**
 * AmnesiaError:
 * @AMNESIA_ERROR_FAILED: something failed that has no code of its own
 * @AMNESIA_ERROR_NOT_CONFIGURED: the store has no configuration: set `conf` first
 * @AMNESIA_ERROR_INVALID_CONF: a configuration is wrong; the message names the member, its place
 *   and what would be right
 * @AMNESIA_ERROR_INVALID_VALUE: a value cannot be shared: a handle in its type, deeper than 64
 *   containers, or a dictionary with a key twice
 * @AMNESIA_ERROR_TOO_BIG: a value is larger than `max-size`, or all keys together are larger than four
 *   times that
 * @AMNESIA_ERROR_INVALID_JSON: a text is not JSON, or JSON that would lose something
 * @AMNESIA_ERROR_NOT_IN_SYNC: the store was closed, but not every peer has confirmed the newest
 *   value, or there is one that is larger than some member takes; the message names who has not
 * @AMNESIA_ERROR_WRONG_CONTEXT: a blocking call where it cannot block: inside a dispatch of a main
 *   loop, or while another thread runs the store's context
 * @AMNESIA_ERROR_FORKED: the store belongs to the parent of this process
 * @AMNESIA_ERROR_CLOSED: the store was closed before the operation ended
 * @AMNESIA_ERROR_PROTOCOL: a peer sent what libamnesia would not
 * @AMNESIA_ERROR_VERSION: a peer speaks no version of the protocol that this one does
 * @AMNESIA_ERROR_GROUP: a peer belongs to another group
 * @AMNESIA_ERROR_CLOCK: a peer's clock is too far from ours, or a value was written too far in the
 *   future
 * @AMNESIA_ERROR_REFUSED: who connected is not in the configuration, or a peer closed the
 *   connection before it said hello
 * @AMNESIA_ERROR_TIMED_OUT: a peer gave no sign of life for too long, or what it sends or should
 *   take got nowhere
 * @AMNESIA_ERROR_INVALID_KEY: a key is not 1 to 255 bytes of UTF-8
 * @AMNESIA_ERROR_NOT_A_DICTIONARY: a key cannot be written, as the shared value is neither unset nor a
 *   dictionary (`a{sv}`)
 * @AMNESIA_ERROR_TOO_MANY_KEYS: there would be more than 4,096 keys, with those that were removed
 *
 * Error codes of libamnesia. The message of an error is in the language of the user, as far as it is
 * translated; what a program has to tell apart has a code.
 *
 * Since: 0.1
 */
typedef enum
{
  AMNESIA_ERROR_FAILED,
  AMNESIA_ERROR_NOT_CONFIGURED,
  AMNESIA_ERROR_INVALID_CONF,
  AMNESIA_ERROR_INVALID_VALUE,
  AMNESIA_ERROR_TOO_BIG,
  AMNESIA_ERROR_INVALID_JSON,
  AMNESIA_ERROR_NOT_IN_SYNC,
  AMNESIA_ERROR_WRONG_CONTEXT,
  AMNESIA_ERROR_FORKED,
  AMNESIA_ERROR_CLOSED,
  AMNESIA_ERROR_PROTOCOL,
  AMNESIA_ERROR_VERSION,
  AMNESIA_ERROR_GROUP,
  AMNESIA_ERROR_CLOCK,
  AMNESIA_ERROR_REFUSED,
  AMNESIA_ERROR_TIMED_OUT,
  AMNESIA_ERROR_INVALID_KEY,
  AMNESIA_ERROR_NOT_A_DICTIONARY,
  AMNESIA_ERROR_TOO_MANY_KEYS,
} AmnesiaError;

AMNESIA_AVAILABLE_IN_0_1
GQuark amnesia_error_quark (void);

G_END_DECLS
