package store

import (
	"context"
	"fmt"
	"time"
)

// Refused is a record that a consumer could not take: a status event that cannot be read, or one that makes no sense to the consumer. It
// is kept with its bytes, so that nothing ends silently and the records behind it go on.
type Refused struct {
	Topic     string    `json:"topic"`
	Partition int       `json:"partition"`
	Offset    int64     `json:"offset"`
	Key       string    `json:"key"`
	Reason    string    `json:"reason"`
	Value     []byte    `json:"value,omitempty"`
	RefusedAt time.Time `json:"refused_at"`
}

// Refuse keeps a record that could not be taken; the same record again changes nothing.
func (db *DB) Refuse(ctx context.Context, r Refused) error {
	_, err := db.ExecContext(ctx, `INSERT INTO refused_records (consumer, topic, "partition", record_offset, record_key, reason, value, refused_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
		db.consumer, r.Topic, r.Partition, r.Offset, r.Key, r.Reason, r.Value, r.RefusedAt.UTC())
	if err != nil {
		return fmt.Errorf("keep the refused record %s/%d at %d: %w", r.Topic, r.Partition, r.Offset, err)
	}
	return nil
}

// Refused gives every record that could not be taken, in the order of the log.
func (db *DB) Refused(ctx context.Context, each func(Refused) error) error {
	rows, err := db.QueryContext(ctx, `SELECT topic, "partition", record_offset, record_key, reason, value, refused_at FROM refused_records
		WHERE consumer = $1 ORDER BY topic, "partition", record_offset`, db.consumer)
	if err != nil {
		return fmt.Errorf("list refused records: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var r Refused
		if err := rows.Scan(&r.Topic, &r.Partition, &r.Offset, &r.Key, &r.Reason, &r.Value, &r.RefusedAt); err != nil {
			return fmt.Errorf("list refused records: %w", err)
		}
		if err := each(r); err != nil {
			return err
		}
	}
	return rows.Err()
}
