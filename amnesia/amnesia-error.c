/* SPDX-License-Identifier: MIT */

#include "amnesia-error.h"

/**
 * amnesia_error_quark:
 *
 * Gets the quark of the error domain; use `AMNESIA_ERROR` instead.
 *
 * Returns: the quark
 *
 * Since: 0.1
 */
/* clang-format off */
G_DEFINE_QUARK (amnesia-error-quark, amnesia_error)
/* clang-format on */
