/* SPDX-License-Identifier: MIT */

#include "amnesia-change-private.h"

/**
 * AmnesiaChange:
 *
 * One change of a shared variable, as it is remembered: what, when, and by whom.
 *
 * The changes of a store are the items of [property@Amnesia.Store:history]. Of a dictionary each key
 * that has another value makes one change of its own; all else is a change of the whole value.
 *
 * A change never changes, and may be read by any thread.
 *
 * Since: 0.1
 */
struct _AmnesiaChange
{
  GObject    parent_instance;

  char      *key;       /* (owned) (nullable) NULL: the whole value */
  GVariant  *old_value; /* (owned) (nullable) */
  GVariant  *new_value; /* (owned) (nullable) */
  gboolean   remote;
  GDateTime *when;      /* (owned) */
  char      *writer;    /* (owned) (nullable) */
};

typedef enum
{
  PROP_KEY = 1,
  PROP_OLD,
  PROP_NEW,
  PROP_REMOTE,
  PROP_WHEN,
  PROP_WRITER,
} AmnesiaChangeProperty;

static GParamSpec *properties[PROP_WRITER + 1];

G_DEFINE_FINAL_TYPE (AmnesiaChange, amnesia_change, G_TYPE_OBJECT)

static void
amnesia_change_constructed (GObject *object)
{
  AmnesiaChange *self = AMNESIA_CHANGE (object);

  G_OBJECT_CLASS (amnesia_change_parent_class)->constructed (object);
  if (self->when == NULL)
    self->when = g_date_time_new_now_utc ();
}

static void
amnesia_change_finalize (GObject *object)
{
  AmnesiaChange *self = AMNESIA_CHANGE (object);

  g_free (self->key);
  g_clear_pointer (&self->old_value, g_variant_unref);
  g_clear_pointer (&self->new_value, g_variant_unref);
  g_date_time_unref (self->when);
  g_free (self->writer);
  G_OBJECT_CLASS (amnesia_change_parent_class)->finalize (object);
}

static void
amnesia_change_get_property (GObject    *object,
                             guint       prop_id,
                             GValue     *value,
                             GParamSpec *pspec)
{
  AmnesiaChange *self = AMNESIA_CHANGE (object);

  switch ((AmnesiaChangeProperty) prop_id)
    {
    case PROP_KEY:
      g_value_set_string (value, self->key);
      break;
    case PROP_OLD:
      g_value_set_variant (value, self->old_value);
      break;
    case PROP_NEW:
      g_value_set_variant (value, self->new_value);
      break;
    case PROP_REMOTE:
      g_value_set_boolean (value, self->remote);
      break;
    case PROP_WHEN:
      g_value_set_boxed (value, self->when);
      break;
    case PROP_WRITER:
      g_value_set_string (value, self->writer);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
amnesia_change_set_property (GObject      *object,
                             guint         prop_id,
                             const GValue *value,
                             GParamSpec   *pspec)
{
  AmnesiaChange *self = AMNESIA_CHANGE (object);

  switch ((AmnesiaChangeProperty) prop_id)
    {
    case PROP_KEY:
      self->key = g_value_dup_string (value);
      break;
    case PROP_OLD:
      self->old_value = g_value_dup_variant (value);
      break;
    case PROP_NEW:
      self->new_value = g_value_dup_variant (value);
      break;
    case PROP_REMOTE:
      self->remote = g_value_get_boolean (value);
      break;
    case PROP_WHEN:
      self->when = g_value_dup_boxed (value);
      break;
    case PROP_WRITER:
      self->writer = g_value_dup_string (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

#define FLAGS (G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS)

static void
init_what_properties (void)
{
  /**
   * AmnesiaChange:key: (getter get_key)
   *
   * The key that has another value; `NULL` where the value as a whole was replaced.
   *
   * Since: 0.1
   */
  properties[PROP_KEY] = g_param_spec_string ("key", NULL, NULL, NULL, FLAGS);

  /**
   * AmnesiaChange:old: (getter get_old)
   *
   * The value before; `NULL`, if there was none.
   *
   * Since: 0.1
   */
  properties[PROP_OLD] = g_param_spec_variant ("old", NULL, NULL, G_VARIANT_TYPE_ANY, NULL, FLAGS);

  /**
   * AmnesiaChange:new: (getter get_new)
   *
   * The value after; `NULL`, if it was unset or removed.
   *
   * Since: 0.1
   */
  properties[PROP_NEW] = g_param_spec_variant ("new", NULL, NULL, G_VARIANT_TYPE_ANY, NULL, FLAGS);
}

static void
init_who_properties (void)
{
  /**
   * AmnesiaChange:remote: (getter get_remote)
   *
   * Whether another process wrote it.
   *
   * Since: 0.1
   */
  properties[PROP_REMOTE] = g_param_spec_boolean ("remote", NULL, NULL, FALSE, FLAGS);

  /**
   * AmnesiaChange:when: (getter get_when)
   *
   * When it was written, by the clock of its writer.
   *
   * Since: 0.1
   */
  properties[PROP_WHEN] = g_param_spec_boxed ("when", NULL, NULL, G_TYPE_DATE_TIME, FLAGS);

  /**
   * AmnesiaChange:writer: (getter get_writer)
   *
   * Who wrote it: what [property@Amnesia.Peer:name] was at the time, or
   * [property@Amnesia.Store:listening] if it was this store; `NULL`, if it has no name, or is somebody
   * whom this store was not linked with.
   *
   * Since: 0.1
   */
  properties[PROP_WRITER] = g_param_spec_string ("writer", NULL, NULL, NULL, FLAGS);
}

static void
amnesia_change_class_init (AmnesiaChangeClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = amnesia_change_constructed;
  object_class->finalize = amnesia_change_finalize;
  object_class->get_property = amnesia_change_get_property;
  object_class->set_property = amnesia_change_set_property;
  init_what_properties ();
  init_who_properties ();
  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties), properties);
}

static void
amnesia_change_init (AmnesiaChange *self)
{
}

/* All but @remote may be NULL. */
AmnesiaChange *
amnesia_change_new (const char *key,
                    GVariant   *old_value,
                    GVariant   *new_value,
                    gboolean    remote,
                    GDateTime  *when,
                    const char *writer)
{
  return g_object_new (AMNESIA_TYPE_CHANGE,
                       "key", key,
                       "old", old_value,
                       "new", new_value,
                       "remote", remote,
                       "when", when,
                       "writer", writer,
                       NULL);
}

/* Gets how many bytes both values have. */
gsize
amnesia_change_get_size (AmnesiaChange *self)
{
  return (self->old_value != NULL ? g_variant_get_size (self->old_value) : 0) +
         (self->new_value != NULL ? g_variant_get_size (self->new_value) : 0);
}

/**
 * amnesia_change_get_key: (get-property key)
 * @self: a change
 *
 * Gets the key that has another value.
 *
 * Returns: (transfer none) (nullable): the key, or `NULL` where the value as a whole was replaced
 *
 * Since: 0.1
 */
const char *
amnesia_change_get_key (AmnesiaChange *self)
{
  g_return_val_if_fail (AMNESIA_IS_CHANGE (self), NULL);

  return self->key;
}

/**
 * amnesia_change_get_old: (get-property old)
 * @self: a change
 *
 * Gets the value before.
 *
 * Returns: (transfer none) (nullable): the value, of the key or the whole; `NULL` if there was none
 *
 * Since: 0.1
 */
GVariant *
amnesia_change_get_old (AmnesiaChange *self)
{
  g_return_val_if_fail (AMNESIA_IS_CHANGE (self), NULL);

  return self->old_value;
}

/**
 * amnesia_change_get_new: (get-property new)
 * @self: a change
 *
 * Gets the value after.
 *
 * Returns: (transfer none) (nullable): the value, of the key or the whole; `NULL` if it was unset or
 *   removed
 *
 * Since: 0.1
 */
GVariant *
amnesia_change_get_new (AmnesiaChange *self)
{
  g_return_val_if_fail (AMNESIA_IS_CHANGE (self), NULL);

  return self->new_value;
}

/**
 * amnesia_change_get_remote: (get-property remote)
 * @self: a change
 *
 * Gets whether another process wrote it.
 *
 * Returns: `FALSE`, if this store did
 *
 * Since: 0.1
 */
gboolean
amnesia_change_get_remote (AmnesiaChange *self)
{
  g_return_val_if_fail (AMNESIA_IS_CHANGE (self), FALSE);

  return self->remote;
}

/**
 * amnesia_change_get_when: (get-property when)
 * @self: a change
 *
 * Gets when it was written, by the clock of its writer.
 *
 * Returns: (transfer none): the time, in UTC
 *
 * Since: 0.1
 */
GDateTime *
amnesia_change_get_when (AmnesiaChange *self)
{
  g_return_val_if_fail (AMNESIA_IS_CHANGE (self), NULL);

  return self->when;
}

/**
 * amnesia_change_get_writer: (get-property writer)
 * @self: a change
 *
 * Gets who wrote it.
 *
 * That is what the members say of one another, and no proof.
 *
 * Returns: (transfer none) (nullable): what [property@Amnesia.Peer:name] was at the time, most often
 *   `host:port`, or [property@Amnesia.Store:listening] if it was this store; `NULL` if it has no name,
 *   as this store while it is closed or a guest, or is somebody whom this store was not linked with
 *
 * Since: 0.1
 */
const char *
amnesia_change_get_writer (AmnesiaChange *self)
{
  g_return_val_if_fail (AMNESIA_IS_CHANGE (self), NULL);

  return self->writer;
}
