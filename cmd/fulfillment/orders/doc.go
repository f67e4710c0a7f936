// Package orders decides what becomes of an order when something becomes of its payments: goods are released once, held, or asked back.
// It exists so that this decision is a pure function (Order.Take), with tables and a log around it that only carry it out.
package orders
