/* SPDX-License-Identifier: MIT */

/* JSON in: what is read is written as it was meant, and read again is the same. */

#include "fuzz.h"

#include "amnesia-error.h"
#include "amnesia-json.h"
#include "replica/amnesia-value-private.h"

#include <string.h>

static void
check_accepted (GVariant *value)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = amnesia_to_json (value, &error);
  g_autofree char *again = NULL;
  g_autoptr (GVariant) read = NULL;

  g_assert_no_error (error);
  g_assert_true (g_utf8_validate (text, -1, NULL));
  g_assert_null (strpbrk (text, "\n\r\t"));
  read = amnesia_from_json (text, &error);
  g_assert_no_error (error);
  g_assert_true (amnesia_value_equal (read, value));
  again = amnesia_to_json (read, &error);
  g_assert_cmpstr (again, ==, text);

  if (amnesia_value_check (value, G_MAXUINT64, &error))
    fuzz_check_value (value, G_MAXUINT64);
  else
    fuzz_check_error (error);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size)
{
  G_GNUC_UNUSED g_auto (FuzzWatch) watch = fuzz_begin ();
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) value = amnesia_from_json (text, &error);

  g_assert_true (value == NULL || error == NULL);
  if (error != NULL)
    {
      fuzz_check_error (error);
      g_assert_error (error, AMNESIA_ERROR, AMNESIA_ERROR_INVALID_JSON);
    }
  else if (value != NULL)
    check_accepted (value);
  else
    g_assert_cmpstr (g_strstrip (text), ==, "null");
  return 0;
}
